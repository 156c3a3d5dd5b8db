#include "train/pretrain_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "infer/options.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

template <class Source>
FieldsOf<Source> source_fields(Source& source) {
  FieldsOf<Source> list;
  list.add("shards", source.shards, "WebDataset tar files of captioned images, or");
  list.add("data", source.data.folder,
           "a data set folder with pixel labels; captions.tsv in it has captions");
  list.add("dataset", source.data.kind, "kind of data set, as for tagclip train");
  list.add("split", source.split, "list of the images of data");
  list.add("unseen", source.data.unseen,
           "classes of data whose labels are hidden; empty: the set's own");
  list.add("zero_label", source.data.zero_label, kZeroLabelNames,
           "keep the background, label 0, as a class, or reduce: make it void");
  list.add("keys", source.keys, "beginnings of the keys of the photos to take; empty: all");
  list.add("key_prefix", source.key_prefix, "what names.soft has before the keys of its photos");
  list.add("share", source.share, {1e-6, 1e6}, "photos",
           "share of each batch; sources without one divide the rest by their photos; where all "
           "have one, they are scaled to a sum of 1");
  return list;
}

template <class Loss>
FieldsOf<Loss> loss_fields(Loss& loss) {
  constexpr Range weight{0, 1000};
  FieldsOf<Loss> list;
  list.add("contrastive", loss.contrastive, weight, "weight of photos against captions");
  list.add("names", loss.names, weight, "weight of photos against their soft names");
  list.add("labels", loss.labels, weight,
           "weight of patches against the words of their pixels' labels");
  list.add("label_balance", loss.label_balance, {0, 1},
           "balanced softmax: in training a class's logit is raised by this times the logarithm of "
           "its share of the set's labels; 0: common classes win in doubt, 1: all count the same");
  return list;
}

template <class Names>
FieldsOf<Names> names_fields(Names& names) {
  FieldsOf<Names> list;
  list.add("list", names.list,
           "file of names, one with its synonyms a line, the plainest word last");
  list.add("soft", names.soft,
           "table of soft names: a photo's key, a tab, NAME:PROBABILITY with spaces between them; "
           "NAME counts the lines of names.list from 0");
  list.add("unseen", names.unseen,
           "words of unseen classes: names that have one of them are left out, and the soft names "
           "of photos that show little else");
  list.add("per_step", names.per_step, {2, 1 << 20},
           "texts of names that a step compares photos with: their likeliest ones and random ones");
  list.add("plain_probability", names.plain_probability, {0, 1},
           "probability that a step calls every name by its last word; otherwise by another of its "
           "words, where there is one");
  return list;
}

template <class Validation>
FieldsOf<Validation> validation_fields(Validation& validation) {
  FieldsOf<Validation> list;
  list.add("shards", validation.shards,
           "tar files of held-out captioned images: zero-shot accuracy over their short captions, "
           "retrieval over the others");
  list.add("data", validation.data,
           "folders of labelled sets: mIoU of their patches over all words of the set");
  list.add("split", validation.split, "list of the held-out images of these sets");
  return list;
}

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  constexpr Range count{1, 1e9};
  FieldsOf<Config> list;
  list.add("output", config.output, "folder for the results");
  list.add("shards", config.shards,
           "WebDataset tar files of captioned images; other photos: groups [source.NAME]");
  list.add("start", config.start,
           "CLIP to start from, in any dialect, which gives the sizes; empty: random weights");
  list.add("seed", config.seed, {0, 1e15}, "seed of weights and batches");
  list.add("steps", config.steps, count, "steps in all");
  list.add("batch", config.batch, {2, 1 << 16}, "images per step");
  list.add("image_size", config.image_size, {8, 4096}, "side of the crops at the end");
  list.add("small_image_size", config.small_image_size, {8, 4096},
           "side of the crops at the beginning");
  list.add("small_steps", config.small_steps, {0, 1e9}, "steps with the small crops");
  list.add("patch_share", config.patch_share, {0.01, 1},
           "share of a crop's patches that a step computes, drawn for each image");
  list.add("small_patch_share", config.small_patch_share, {0.01, 1},
           "the same for the small crops");
  list.add("warmup", config.warmup, {0, 1e9}, "steps until the full learning rate");
  list.add("min_crop", config.min_crop, {0.01, 1}, "smallest share of the image's area in a crop");
  list.add("photometric", config.photometric,
           "distort brightness, contrast, saturation and hue of the crops");
  list.add("max_pixels", config.max_pixels, {1, 0x1p40}, "a larger photo ends the run");
  list.add("template_probability", config.template_probability, {0, 1},
           "probability that a caption of up to three words, a name or the word of a label is put "
           "in a prompt template");
  list.add("label_words", config.label_words, {2, 65534},
           "words of a labelled set, at most, that a step compares patches with, unless more are "
           "in the batch");
  list.add("ema", config.ema, {0, 0.999999},
           "decay per step of the average of the weights, which becomes the result; 0: none");
  list.add("gradient_chunk", config.gradient_chunk, {0, 1 << 16},
           "photos or texts whose activations are held at once: a step computes them twice, and "
           "large batches fit into the memory; 0: all");
  list.add("workers", config.workers, {0, 256},
           "threads that make the next batch; 0: the training thread does");
  list.add("cache", config.cache, {0, 1 << 24}, "MiB of decoded photos and labels that are kept");
  list.add("precision", config.precision,
           {{"float32", ComputePrecision::kFloat32}, {"bfloat16", ComputePrecision::kBFloat16}},
           "type of the towers' matrix products; parameters and losses stay float32");
  list.add("device", config.device, kDeviceNames, "where to train");
  list.add("log_every", config.log_every, count, "steps between log lines");
  list.add("validate_every", config.validate_every, count, "steps between validations");
  list.add("save_every", config.save_every, count, "steps between saved states");
  list.add_group("loss", loss_fields(config.loss));
  list.add_group("names", names_fields(config.names));
  list.add_group("validation", validation_fields(config.validation));
  for (auto& source : config.sources) {
    list.add_group(source.title(), source_fields(source));
  }
  list.add_group("clip", config.clip.fields());
  list.add_group("optimizer", config.optimizer.fields());
  return list;
}

void check_source(const PretrainSource& source) {
  const std::string name = source.title();
  const bool has_data = !source.data.folder.empty();
  if (has_data != source.shards.empty()) {
    throw usage_error(fmt::format("{}: expected either shards or data, found {}", name,
                                  has_data ? "both" : "neither"),
                      fmt::format("set {0}.shards to a list of tar files, or {0}.data to a folder "
                                  "with pixel labels",
                                  name));
  }
  if (has_data) return;
  const PretrainSource usual{.name = source.name};
  const ConstFieldList now = source_fields(source), defaults = source_fields(usual);
  for (const char* setting : {"dataset", "split", "unseen", "zero_label"}) {
    if (now.at(setting).get() == defaults.at(setting).get()) continue;
    throw usage_error(fmt::format("{0}.{1} has no effect without {0}.data", name, setting),
                      "leave it out");
  }
}

// The condition under which a setting has an effect; otherwise it must keep its default.
struct Effect {
  std::string name, needs;
  bool holds;
};

std::vector<Effect> effects(const PretrainConfig& config) {
  const bool small = config.small_steps > 0, names = config.loss.names > 0,
             labels = config.loss.labels > 0;
  std::vector<Effect> list = {{"small_image_size", "small_steps", small},
                              {"small_patch_share", "small_steps", small},
                              {"names.list", "loss.names", names},
                              {"names.soft", "loss.names", names},
                              {"names.unseen", "loss.names", names},
                              {"names.per_step", "loss.names", names},
                              {"names.plain_probability", "loss.names", names},
                              {"label_words", "loss.labels", labels},
                              {"loss.label_balance", "loss.labels", labels}};
  for (const PretrainSource& source : config.sources) {
    list.push_back({source.title() + ".key_prefix", "loss.names", names});
  }
  return list;
}

}  // namespace

FieldList PretrainConfig::fields() { return list_fields(*this); }
ConstFieldList PretrainConfig::fields() const { return list_fields(*this); }

void PretrainConfig::check() const {
  if (shards.empty() && sources.empty()) {
    throw usage_error("shards: no captioned images are given",
                      "set shards to a list of tar files, or describe sources of photos in groups "
                      "[source.NAME] of a config file");
  }
  if (!shards.empty() && !sources.empty()) {
    throw usage_error("shards and [source.NAME] are both given",
                      "give the shards a source of their own: [source.NAME] with shards = [...]");
  }
  for (const PretrainSource& source : sources) check_source(source);
  if (loss.contrastive == 0 && loss.names == 0 && loss.labels == 0) {
    throw usage_error("loss: all weights are 0, so there is nothing to learn",
                      "set loss.contrastive, loss.names or loss.labels");
  }
  if (loss.names > 0 && (names.list.empty() || names.soft.empty())) {
    throw usage_error("loss.names needs names.list and names.soft",
                      "set both to files, or loss.names to 0");
  }
  const bool labelled = std::ranges::any_of(
      sources, [](const PretrainSource& source) { return !source.data.folder.empty(); });
  if (loss.labels > 0 && !labelled) {
    throw usage_error("loss.labels needs a source with pixel labels",
                      "set source.NAME.data to a folder, or loss.labels to 0");
  }
  const PretrainConfig defaults = defaults_beside(*this);
  const ConstFieldList now = fields(), usual = defaults.fields();
  for (const Effect& effect : effects(*this)) {
    if (effect.holds || now.at(effect.name).get() == usual.at(effect.name).get()) continue;
    throw usage_error(fmt::format("{} has no effect without {}", effect.name, effect.needs),
                      fmt::format("set {}, or leave it out", effect.needs));
  }
  if (start.empty()) check_clip(*this);  // otherwise the start gives the sizes
}

std::vector<PretrainSource> PretrainConfig::all_sources() const {
  if (!sources.empty()) return sources;
  return {{.name = {}, .shards = shards}};
}

PretrainConfig defaults_beside(const PretrainConfig& config) {
  PretrainConfig defaults;
  for (const PretrainSource& source : config.sources) {
    defaults.sources.push_back({.name = source.name});
  }
  return defaults;
}

void check_clip(const PretrainConfig& config) {
  try {
    config.clip.check();
  } catch (const Error& error) {
    throw Error(error.kind(), std::string("clip: ") + error.what(), error.hint());
  }
  if (config.clip.vocabulary < Tokenizer::kAllBytes) {
    throw usage_error(fmt::format(
        "clip.vocabulary: expected {} or more, so that every caption can be spelt, found {}",
        Tokenizer::kAllBytes, config.clip.vocabulary));
  }
  const auto check_side = [&](const char* name, int64_t side) {
    if (side % config.clip.patch == 0) return;
    throw usage_error(fmt::format("{}: expected a multiple of clip.patch = {}, found {}", name,
                                  config.clip.patch, side));
  };
  check_side("image_size", config.image_size);
  if (config.small_steps > 0) check_side("small_image_size", config.small_image_size);
}

bool is_free_in_pretraining(const std::string& setting) {
  static const std::set<std::string> kFree = {"output",  "log_every", "save_every", "max_pixels",
                                              "workers", "cache",     "device"};
  return kFree.contains(setting) || setting.starts_with("validat");
}

bool names_files_of_pretraining(const std::string& setting) {
  static const std::set<std::string> kFiles = {"shards", "start", "names.list", "names.soft"};
  return kFiles.contains(setting) ||
         (setting.starts_with("source.") && !setting.ends_with(".share"));
}

std::vector<PretrainInput> input_paths(PretrainConfig& config) {
  std::vector<PretrainInput> inputs = {{"start", &config.start},
                                       {"names.list", &config.names.list},
                                       {"names.soft", &config.names.soft}};
  for (std::string& shard : config.shards) inputs.push_back({"shards", &shard});
  for (std::string& shard : config.validation.shards) {
    inputs.push_back({"validation.shards", &shard});
  }
  for (std::string& folder : config.validation.data) inputs.push_back({"validation.data", &folder});
  for (PretrainSource& source : config.sources) {
    const std::string name = source.title();
    inputs.push_back({name + ".data", &source.data.folder});
    for (std::string& shard : source.shards) inputs.push_back({name + ".shards", &shard});
    // Classes by name are no path.
    if (source.data.unseen.find_first_of("/.") != std::string::npos) {
      inputs.push_back({name + ".unseen", &source.data.unseen});
    }
  }
  std::erase_if(inputs, [](const PretrainInput& input) { return input.path->empty(); });
  return inputs;
}

PretrainConfig with_absolute_inputs(PretrainConfig config) {
  for (const PretrainInput& input : input_paths(config)) {
    if (path_status(*input.path).kind == PathKind::kNothing) continue;
    *input.path = absolute_path(*input.path).string();
  }
  return config;
}

}  // namespace tagclip
