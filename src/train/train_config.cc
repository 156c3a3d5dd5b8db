#include "train/train_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "runs/run_record.h"

namespace tagclip {
namespace {

template <class Options>
FieldsOf<Options> augment_fields(Options& augment) {
  constexpr Range side{1, 1 << 16};
  FieldsOf<Options> list;
  list.add("long_side", augment.long_side, side, "images are scaled to fit this long side ...");
  list.add("short_side", augment.short_side, side,
           "... and this short side, times the drawn scale");
  list.add("min_scale", augment.min_scale, {0.01, 100}, "smallest scale drawn");
  list.add("max_scale", augment.max_scale, {0.01, 100}, "largest scale drawn");
  list.add("crop_size", augment.crop_size, side, "side of the training crops");
  list.add("max_class_ratio", augment.max_class_ratio, {0, 1},
           "largest share of a crop one class may cover");
  list.add("flip_probability", augment.flip_probability, {0, 1},
           "probability of a horizontal flip");
  list.add("photometric", augment.photometric,
           "whether brightness, contrast, saturation and hue are distorted");
  return list;
}

template <class List, class Sets>
void add_dataset_fields(List& list, Sets& data, const std::string& prefix,
                        const std::string& folder_help, const std::string& unseen_help) {
  list.add_one_or_more(prefix + "data", data.folders, folder_help);
  list.add(prefix + "dataset", data.kind,
           "kind of data set: folder (images/, labels/, classes.txt, lists), voc2012, coco-stuff, "
           "coco-object, ade20k, context59, context60; auto recognises the folder");
  list.add(prefix + "unseen", data.unseen,
           unseen_help + ": names or indices, a list file, a built-in split, or none");
  list.add(prefix + "zero_label", data.zero_label, kZeroLabelNames,
           "keep the background, label 0, as a class, or reduce: make it void; auto: as usual for "
           "the kind");
}

template <class Options>
FieldsOf<Options> set_fields(Options& options) {
  FieldsOf<Options> list;
  list.add("dataset", options.kind, "kind of this data set; auto: as dataset says");
  list.add("unseen", options.unseen, "unseen classes of this data set; empty: as unseen says");
  list.add("zero_label", options.zero_label, kZeroLabelNames,
           "label 0 of this data set; auto: as zero_label says");
  list.add(
      "share", options.share, {1e-6, 1}, "auto",
      "share of the training steps that this data set gets; auto: of what the others leave, by "
      "the square root of its photos");
  return list;
}

// The architecture without the towers' sizes, which are read from the weights.
template <class Model>
FieldsOf<Model> model_fields(Model& model) {
  return model.fields().where([](const Field& f) { return !f.name.starts_with("clip."); });
}

template <class Config>
FieldsOf<Config> self_training_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("from", config.from, {0, 1}, "share of the iterations after which self-training begins");
  list.add(
      "pseudo_labels", config.pseudo_labels,
      {{"unseen", PseudoLabels::kUnseen},
       {"everything", PseudoLabels::kEverything},
       {"none", PseudoLabels::kNone}},
      "pixels of hidden classes get the unseen class with the largest logit; void pixels, too; or "
      "none does, as in the released code");
  return list;
}

template <class Config>
FieldsOf<Config> train_fields(Config& config) {
  constexpr Range count{1, 1e9};
  FieldsOf<Config> list;
  list.add("output", config.output, "folder of the run");
  list.add("label", config.label, "what reports call the run and others like it");
  list.add("extend", config.extend,
           "whether a run in the output folder may go on to more schedule.iterations than it was "
           "begun with");
  add_dataset_fields(list, config.data, "",
                     "data set folder, or a list of several, whose classes are joined by their "
                     "words; each step is of one set",
                     "classes hidden in training; empty: the sets' own");
  list.add("train_split", config.train_split, "list of the training images");
  add_dataset_fields(
      list, config.val_data, "val_",
      "data set folder of the validation, or a list of several; empty: those of the training",
      "classes that count for mIoU(U); empty: the unseen ones of the training, or the "
      "classes of val_data that the training does not name");
  list.add("synonym_list", config.synonym_list,
           "class file of words that mean the same, a class a line (sofa, couch): they join the "
           "classes of the data sets and are synonyms of theirs");
  list.add(
      "synonyms", config.synonyms, {{"mean", StepWords::kMean}, {"drawn", StepWords::kDrawn}},
      "a class of several words is the mean of their embeddings, or one word drawn anew in each "
      "step");
  list.add("max_pixels", config.max_pixels, {1, 0x1p40},
           "larger photos and label files are refused, in training and validation");
  list.add("val_split", config.val_split, "list of the validation images; empty: no validation");
  list.add("clip", config.clip,
           "the CLIP to start from: any CLIP, a file of tagclip pretrain, or the CLIP inside a "
           "trained model");
  list.add("start", config.start,
           "the trained model to start from instead, prompts and head included: of tagclip, or a "
           "published TagCLIP or ZegCLIP, for which clip gives the text tower; schedule and "
           "optimizer begin anew");
  list.add("prompt", config.prompt, "prompt templates: single, multi, a file, or one holding {}");
  list.add("setting", config.setting,
           {{"inductive", Setting::kInductive},
            {"transductive", Setting::kTransductive},
            {"supervised", Setting::kSupervised}},
           "which labels training may see");
  list.add(
      "trusty_source", config.trusty_source,
      {{"annotations", TrustySource::kAnnotations}, {"held-out-seen", TrustySource::kHeldOutSeen}},
      "pixels that teach the trusty token what is unseen: those of unseen classes, or of seen "
      "classes hidden for one step");
  list.add("held_out_share", config.held_out_share, {0, 1},
           "share of the seen classes that held-out-seen hides in a step");
  list.add("seed", config.seed, {0, 1e15}, "seed of weights, batches and dropout");
  list.add("batch", config.batch, {1, 1 << 16}, "images per step, over all ranks");
  list.add("workers", config.workers, {0, 256},
           "threads that read and augment images; 0: the training thread does");
  list.add(
      "check_data", config.check_data,
      "whether a new run checks some label files first and refuses a data set whose labels are "
      "coded wrongly");
  list.add("prefetch", config.prefetch, {1, 64}, "batches that the workers prepare ahead");
  list.add("bad_photos", config.bad_photos,
           {{"fail", BadImagePolicy::kFail}, {"skip", BadImagePolicy::kSkip}},
           "a training image that cannot be read: the run fails, or another image takes its place");
  list.add("precision", config.precision,
           {{"float32", ComputePrecision::kFloat32}, {"bfloat16", ComputePrecision::kBFloat16}},
           "type of the matrix products; parameters and losses stay float32");
  list.add("save_precision", config.save_precision,
           {{"float32", StorageType::kFloat32},
            {"float16", StorageType::kFloat16},
            {"bfloat16", StorageType::kBFloat16}},
           "type of the tensors in the models that are written");
  list.add("device", config.device, kDeviceNames, "where to train");
  list.add("prompt_dropout", config.prompt_dropout, {0, 0.99}, "dropout on the visual prompts");
  list.add("decoder_dropout", config.decoder_dropout, {0, 0.99}, "dropout in the decoder");
  list.add("log_every", config.log_every, count, "iterations between log lines");
  list.add("validate_every", config.validate_every, count, "iterations between validations");
  list.add("save_every", config.save_every, count, "iterations between checkpoints");
  list.add("keep", config.keep, {1, 1000}, "how many of the last checkpoints are kept");
  list.add("model_every", config.model_every, {0, 1e9},
           "iterations between whole models that are kept as model_N.safetensors; 0: only the "
           "finished one");
  list.add("examples", config.examples, {0, 1000}, "validation images whose predictions are kept");
  list.add("example_photos", config.example_photos,
           "their names, as in val_split's list; empty: the first ones");
  list.add("rank_timeout", config.rank_timeout, count, "seconds to wait for another rank");
  list.add_group("validation", scoring_fields(config.validation));
  list.add_group("model", model_fields(config.model));
  list.add_group("augment", augment_fields(config.augment));
  list.add_group("loss", config.loss.fields());
  list.add_group("optimizer", config.optimizer.fields());
  list.add_group("schedule", config.schedule.fields());
  list.add_group("self_training", config.self_training.fields());
  for (auto& [name, options] : config.set) list.add_group("set." + name, options.fields());
  if constexpr (!std::is_const_v<Config>) {
    list.add_tables("set",
                    [&config](const std::string& name) { return config.set[name].fields(); });
  }
  return list;
}

// The condition under which a setting has an effect; otherwise it must keep its default, or one of
// `harmless`.
struct Effect {
  std::string name;
  std::string needs;  // what must hold for it, for the message
  bool holds;
  std::vector<std::string> harmless = {};  // values that say what happens anyway
};

std::vector<Effect> effects(const TrainConfig& config) {
  const bool validates = !config.val_split.empty();
  const bool own_data = !config.val_data.folders.empty();
  const bool token = config.model.trusty_token;
  const bool transductive = config.setting == Setting::kTransductive;
  const bool prompts = config.model.prompts > 0;
  return {
      {"val_data", "a val_split", validates},
      {"val_unseen", "a val_split", validates},
      {"val_dataset", "val_data, whose files it is about", validates && own_data},
      {"val_zero_label", "val_data, whose labels it is about", validates && own_data},
      {"trusty_source", "model.trusty_token = true", token},
      {"held_out_share", "trusty_source = held-out-seen",
       config.trusty_source == TrustySource::kHeldOutSeen},
      {"prefetch", "workers", config.workers > 0},
      {"prompt_dropout", "model.prompts", prompts, {"0"}},
      {"validation.trusty_token", "model.trusty_token = true", token, {"false"}},
      {"validation.weighting",
       "a trusty token",
       token && config.validation.trusty_token,
       {"\"none\""}},
      {"example_photos", "a val_split", validates},
      {"examples", "example_photos left empty", config.example_photos.empty()},
      {"loss.trusty_weight", "model.trusty_token = true", token, {"0"}},
      {"loss.presence_weight", "model.protocol = paper", config.model.has_presence_head(), {"0"}},
      {"schedule.warmup_ratio", "schedule.warmup", config.schedule.warmup > 0},
      {"self_training.from", "setting = transductive", transductive},
      {"self_training.pseudo_labels", "setting = transductive", transductive},
  };
}

// The sets of all folders by their names, those of the training first.
std::vector<std::string> all_folders(const TrainConfig& config) {
  std::vector<std::string> folders = config.data.folders;
  for (const std::string& folder : config.val_data.folders) {
    if (std::ranges::count(config.data.folders, folder) == 0) folders.push_back(folder);
  }
  return folders;
}

// Returns how the sets of `data` are read. `unseen`: what counts for sets without one of their own.
std::vector<LabelSetOptions> options_of(const TrainConfig& config, const DataSets& data,
                                        const std::string& unseen) {
  const std::vector<std::string> folders = all_folders(config), names = names_of_folders(folders);
  std::vector<LabelSetOptions> sets;
  for (const std::string& folder : data.folders) {
    const size_t place = std::ranges::find(folders, folder) - folders.begin();
    LabelSetOptions set{.name = names[place], .data = {.folder = folder}, .share = {}};
    const auto own = config.set.find(set.name);
    const SetOptions options = own == config.set.end() ? SetOptions() : own->second;
    set.data.kind = options.kind == "auto" ? data.kind : options.kind;
    set.data.unseen = options.unseen.empty() ? unseen : options.unseen;
    set.data.zero_label =
        options.zero_label == ZeroLabel::kAuto ? data.zero_label : options.zero_label;
    set.data.max_pixels = config.max_pixels;
    set.share = options.share;
    sets.push_back(std::move(set));
  }
  return sets;
}

// Throws Error(kUsage) for what [set.NAME] says of no data set, or to no effect.
void check_set_options(const TrainConfig& config) {
  const std::vector<std::string> names = names_of_folders(all_folders(config));
  for (const auto& [name, options] : config.set) {
    const size_t place = std::ranges::find(names, name) - names.begin();
    if (place == names.size()) {
      throw usage_error(fmt::format("set.{}: no data set of data or val_data is called so", name),
                        did_you_mean(name, names, "a set has the name of its folder"));
    }
    if (!options.share) continue;
    if (place >= config.data.folders.size()) {
      throw usage_error(fmt::format("set.{}.share: the set is only validated on", name),
                        "leave share out, or add its folder to data");
    }
    if (config.data.folders.size() == 1) {
      throw usage_error(
          fmt::format("set.{}.share has no effect: there are no other data sets", name),
          "leave share out, or list several folders in data");
    }
  }
}

}  // namespace

FieldList SetOptions::fields() { return set_fields(*this); }
ConstFieldList SetOptions::fields() const { return set_fields(*this); }

FieldList SelfTrainingConfig::fields() { return self_training_fields(*this); }
ConstFieldList SelfTrainingConfig::fields() const { return self_training_fields(*this); }

FieldList TrainConfig::fields() { return train_fields(*this); }
ConstFieldList TrainConfig::fields() const { return train_fields(*this); }

void TrainConfig::check() const {
  if (data.folders.empty() || std::ranges::count(data.folders, "") > 0) {
    throw usage_error("data: no data set folder is given", "set data to one");
  }
  names_of_folders(data.folders);
  names_of_folders(val_data.folders);
  check_set_options(*this);
  if (!val_data.unseen.empty() && val_data.unseen != "none" && !val_split.empty() &&
      validation_sets(*this).size() > 1) {
    throw usage_error("val_unseen is about the classes of one data set, found several",
                      "say it of each, in [set.NAME] or in its unseen.txt");
  }
  if (clip.empty() && start.empty()) {
    throw usage_error("clip: no weights to start from are given",
                      "set clip to a CLIP, or start to a trained model");
  }
  if (augment.min_scale > augment.max_scale) {
    throw usage_error("augment.min_scale is larger than augment.max_scale");
  }
  if (trusty_source == TrustySource::kHeldOutSeen && setting != Setting::kInductive) {
    throw usage_error("trusty_source: held-out-seen goes with setting = inductive",
                      "the other settings read labels of unseen classes");
  }
  if (setting == Setting::kTransductive && self_training_start() >= schedule.iterations) {
    throw usage_error("self_training.from: self-training would begin after the last iteration",
                      "lower it, or set setting = inductive");
  }
  for (const IdleSetting& idle : idle_settings(*this)) {
    throw usage_error(
        fmt::format("{} = {} has no effect without {}", idle.name, idle.value, idle.needs),
        fmt::format("leave {} at {}", idle.name, to_string(idle.default_value)));
  }
}

std::vector<std::string> TrainConfig::warnings() const {
  if (schedule.warmup < schedule.iterations) return {};
  return {fmt::format(
      "schedule.warmup = {} does not end within the run of {} iterations: the learning rate never "
      "reaches optimizer.lr; set schedule.warmup to a tenth of the iterations or less",
      schedule.warmup, schedule.iterations)};
}

std::vector<IdleSetting> idle_settings(const TrainConfig& config) {
  const TrainConfig defaults;
  const ConstFieldList now = config.fields(), usual = defaults.fields();
  std::vector<IdleSetting> idle;
  for (const Effect& effect : effects(config)) {
    if (effect.holds) continue;
    const FieldValue usual_value = usual.at(effect.name).get();
    const std::string set = to_string(now.at(effect.name).get());
    if (set == to_string(usual_value) || std::ranges::count(effect.harmless, set) > 0) continue;
    idle.push_back({effect.name, set, effect.needs, usual_value});
  }
  return idle;
}

bool is_free_to_change(const std::string& setting) {
  return free_settings().contains(setting) || is_known_by_content(setting) ||
         setting == "bad_photos" || setting == "max_pixels" || setting == "save_precision" ||
         setting.starts_with("val_") || setting.starts_with("validation.");
}

std::vector<LabelSetOptions> training_sets(const TrainConfig& config) {
  const bool single = config.data.folders.size() == 1;
  // Over several sets, `unseen` names classes that not each of them need have.
  const std::string& unseen = config.data.unseen;
  return options_of(config, config.data, single || unseen.empty() ? unseen : "none");
}

std::vector<LabelSetOptions> validation_sets(const TrainConfig& config) {
  const bool own = !config.val_data.folders.empty();
  std::vector<LabelSetOptions> sets =
      own ? options_of(config, config.val_data, "") : training_sets(config);
  if (config.val_data.unseen.empty()) return sets;
  for (LabelSetOptions& set : sets) set.data.unseen = config.val_data.unseen;
  return sets;
}

void for_each_input(TrainConfig& config,
                    const std::function<void(const std::string&, std::string&)>& visit) {
  for (std::string& folder : config.data.folders) visit("data", folder);
  for (std::string& folder : config.val_data.folders) visit("val_data", folder);
  for (const auto& [name, path] : {std::pair{"clip", &config.clip},
                                   {"start", &config.start},
                                   {"synonym_list", &config.synonym_list}}) {
    if (!path->empty()) visit(name, *path);
  }
  const auto visit_word = [&](const std::string& name, std::string& word) {
    const bool looks_like_path =
        word.find_first_of("/.") != word.npos && word.find('{') == word.npos;
    if (looks_like_path) visit(name, word);
  };
  visit_word("unseen", config.data.unseen);
  visit_word("val_unseen", config.val_data.unseen);
  for (auto& [name, options] : config.set) visit_word("set." + name + ".unseen", options.unseen);
  visit_word("prompt", config.prompt);
}

TrainConfig with_absolute_inputs(TrainConfig config) {
  for_each_input(config, [](const std::string&, std::string& path) {
    if (path_status(path).kind != PathKind::kNothing) path = absolute_path(path).string();
  });
  return config;
}

int64_t TrainConfig::self_training_start() const {
  return static_cast<int64_t>(
      std::ceil(self_training.from * static_cast<double>(schedule.iterations)));
}

}  // namespace tagclip
