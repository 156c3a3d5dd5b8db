#include "train/pretrain.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <set>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "clip/clip_file.h"
#include "clip/fingerprint.h"
#include "data/random.h"
#include "model/init_from_clip.h"
#include "text/tokenizer.h"
#include "train/caption_batches.h"
#include "train/checkpoints.h"
#include "train/contrastive.h"
#include "train/folder_lock.h"

namespace tagclip {
namespace {

// Linear warm-up, then cosine decay to zero.
double cosine_learning_rate(const PretrainConfig& config, int64_t step) {
  if (step < config.warmup) return config.optimizer.lr * (step + 1) / config.warmup;
  const double progress = static_cast<double>(step - config.warmup) /
                          std::max<int64_t>(1, config.steps - config.warmup);
  return config.optimizer.lr * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

constexpr const char* kStep = "tagclip.pretrain.step";
constexpr const char* kConfig = "tagclip.pretrain.config";
constexpr int64_t kKept = 2;  // checkpoints
constexpr const char* kShards = "tagclip.pretrain.shards";
constexpr const char* kStart = "tagclip.pretrain.start";
// They say how a run is watched and stored; the files are known by their content.
const std::set<std::string> kFree = {"output", "log_every", "save_every", "max_pixels"};
const std::set<std::string> kFiles = {"shards", "start"};

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

// The CLIP to start from has sizes of its own: those of the config must be the same, or the
// defaults.
void check_sizes(const PretrainConfig& config, const ClipConfig& found) {
  const ClipConfig defaults;
  const ConstFieldList set = config.clip.fields(), usual = defaults.fields(),
                       start = found.fields();
  for (size_t i = 0; i < set.all().size(); ++i) {
    const auto value = [&](const ConstFieldList& list) { return to_string(list.all()[i].get()); };
    if (value(set) == value(usual) || value(set) == value(start)) continue;
    throw usage_error(fmt::format("clip.{} = {} has no effect: {} has {}", set.all()[i].name,
                                  value(set), config.start, value(start)),
                      "leave the clip settings out, or start from random weights");
  }
}

Clip starting_clip(const PretrainConfig& config,
                   const std::function<void(const std::string&)>& warn) {
  if (!config.start.empty()) {
    StartingClip start = load_starting_clip(config.start);
    if (!start.assumption.empty()) warn(config.start + ": " + start.assumption);
    check_sizes(config, start.clip.config);
    return std::move(start.clip);
  }
  Clip clip(config.clip);
  at::Generator generator = at::detail::createCPUGenerator(config.seed);
  clip.parameters.initialise(generator);
  return clip;
}

std::vector<Parameter> all_trained(Clip& clip) {
  clip.parameters.set_trained([](const std::string&) { return true; });
  return clip.parameters.trained();
}

class Run {
 public:
  // `clip` has the sizes of `config`.
  Run(const PretrainConfig& config, Clip clip,
      const std::function<void(const std::string&)>& on_warning)
      : config_(config),
        folder_(config.output),
        lock_(folder_, on_warning),
        clip_(std::move(clip)),
        batches_(config, read_caption_shards({config.shards.begin(), config.shards.end()})),
        checkpoints_(folder_, kKept),
        optimizer_(all_trained(clip_), config.optimizer),
        shards_(batches_.fingerprint()),
        start_(config.start.empty() ? "" : weights_fingerprint()) {
    resume(on_warning);
    write_file(folder_ / "config.toml", to_toml(config_.fields()));
  }

  int64_t step() const { return step_; }

  PretrainReport advance() {
    const auto start = std::chrono::steady_clock::now();
    const bool small = step_ < config_.small_steps;
    const CaptionBatch batch =
        batches_.batch(step_, small ? config_.small_image_size : config_.image_size);
    optimizer_.zero_grad();
    const auto [images, texts] =
        encode(batch, small ? config_.small_patch_share : config_.patch_share);
    const at::Tensor loss = contrastive_loss(images, texts, clip_.logit_scale.exp(), batch.matches);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw failure(fmt::format("the loss is {:g} at step {}", value, step_ + 1),
                    "lower optimizer.lr, or raise warmup");
    }
    loss.backward();
    const double lr = cosine_learning_rate(config_, step_);
    is_complete_ = false;
    optimizer_.step(lr);
    limit_temperature();
    ++step_;
    is_complete_ = true;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return {step_, value, lr, config_.batch / seconds.count()};
  }

  // An error costs no finished step.
  void save_after_error(const std::function<void(const std::string&)>& warn) {
    if (!is_complete_ || step_ == 0 || saved_ == step_) return;
    try {
      save_state();
      warn(fmt::format(
          "an error ends the run; the state after step {} is saved, the same command resumes",
          step_));
    } catch (const std::exception& error) {
      warn(fmt::format("the state after step {} could not be saved: {}", step_, error.what()));
    }
  }

  void save_state() {
    saved_ = step_;
    const ConstFieldList settings = config_.fields();
    checkpoints_.save(step_, run_state(clip_.parameters.all(), optimizer_),
                      {{kStep, std::to_string(step_)},
                       {kConfig, to_json(settings)},
                       {kShards, shards_},
                       {kStart, start_}});
  }

  void save_result() const {
    save_clip(folder_ / "clip.safetensors", clip_, StorageType::kFloat16);
  }

 private:
  // The embeddings of images and texts, [B, d] each.
  std::pair<at::Tensor, at::Tensor> encode(const CaptionBatch& batch, double kept_share) const {
    AutocastGuard autocast(config_.precision == ComputePrecision::kBFloat16, at::kCPU);
    const at::Generator draws =
        at::detail::createCPUGenerator(sample_random(config_.seed, step_, config_.batch)());
    const at::Tensor tokens = patch_dropout(clip_.visual.embed(batch.pixels), kept_share, draws);
    return {clip_.visual.encode_tokens(tokens).to(at::kFloat),
            clip_.text.encode(batch.tokens).to(at::kFloat)};
  }

  void limit_temperature() {
    at::NoGradGuard no_grad;
    clip_.logit_scale.clamp_(0, std::log(100.0));
  }

  std::string weights_fingerprint() const {
    std::vector<at::Tensor> weights;
    for (const Parameter& parameter : clip_.parameters.all()) weights.push_back(parameter.tensor);
    return fingerprint(weights);
  }

  // Throws Error(kBadInput) when the checkpoint is of other settings, images, captions or weights.
  void check_changes(const Checkpoint& found) const {
    const PretrainConfig defaults;
    // Checkpoints of earlier versions know files by their places alone.
    const bool knows_files = found.metadata.contains(kShards);
    std::vector<ChangedSetting> changes =
        changed_settings(found, kConfig, config_.fields(), defaults.fields());
    std::erase_if(changes, [&](const ChangedSetting& change) {
      return kFree.contains(change.name) || (knows_files && kFiles.contains(change.name));
    });
    if (!changes.empty()) throw other_settings(found, changes);
    const auto check = [&](const char* key, const std::string& now, const std::string& what) {
      if (!knows_files || stored_text(found, key) == now) return;
      throw bad_input(found.path.string() + " belongs to a run with other " + what,
                      "put the files back as they were to resume it, or choose another output "
                      "folder");
    };
    check(kShards, shards_, "images or captions in its shards");
    check(kStart, start_, "weights to start from");
  }

  void resume(const std::function<void(const std::string&)>& on_warning) {
    const std::optional<Checkpoint> found = checkpoints_.newest(on_warning);
    if (!found) return;
    check_changes(*found);
    restore(*found, clip_.parameters.all(), optimizer_);
    step_ = saved_ = stored_count(*found, kStep);
    checkpoints_.tidy(*found);
  }

  const PretrainConfig& config_;
  std::filesystem::path folder_;
  FolderLock lock_;
  Clip clip_;
  CaptionBatches batches_;
  Checkpoints checkpoints_;
  AdamW optimizer_;
  std::string shards_, start_;  // fingerprints of what they hold
  int64_t step_ = 0, saved_ = -1;
  bool is_complete_ = true;  // false while an update is under way
};

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  constexpr Range count{1, 1e9};
  FieldsOf<Config> list;
  list.add("output", config.output, "folder for the results");
  list.add("shards", config.shards, "WebDataset tar files of captioned images");
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
           "probability that a caption of up to three words is put in a prompt template");
  list.add("precision", config.precision,
           {{"float32", ComputePrecision::kFloat32}, {"bfloat16", ComputePrecision::kBFloat16}},
           "type of the towers' matrix products; parameters and losses stay float32");
  list.add("log_every", config.log_every, count, "steps between log lines");
  list.add("save_every", config.save_every, count, "steps between saved states");
  list.add_group("clip", config.clip.fields());
  list.add_group("optimizer", config.optimizer.fields());
  return list;
}

}  // namespace

FieldList PretrainConfig::fields() { return list_fields(*this); }
ConstFieldList PretrainConfig::fields() const { return list_fields(*this); }

void PretrainConfig::check() const {
  if (shards.empty()) {
    throw usage_error("shards: no captioned images are given", "set shards to a list of tar files");
  }
  if (start.empty()) check_clip(*this);  // otherwise the start gives the sizes
  const PretrainConfig defaults;
  if (small_steps == 0 && (small_image_size != defaults.small_image_size ||
                           small_patch_share != defaults.small_patch_share)) {
    throw usage_error("small_image_size and small_patch_share have no effect without small_steps",
                      "set small_steps, or leave them out");
  }
}

int64_t pretrain(PretrainConfig config, const PretrainHooks& hooks) {
  config.check();
  Clip clip = starting_clip(config, hooks.on_warning);
  config.clip = clip.config;
  check_clip(config);
  Run run(config, std::move(clip), hooks.on_warning);
  hooks.on_start(run.step());
  try {
    while (run.step() < config.steps) {
      hooks.on_step(run.advance());
      if (hooks.stop_requested()) break;
      if (run.step() % config.save_every == 0) run.save_state();
    }
  } catch (...) {
    run.save_after_error(hooks.on_warning);
    throw;
  }
  run.save_state();
  if (run.step() == config.steps) run.save_result();
  return run.step();
}

}  // namespace tagclip
