#include "train/pretrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "base/text.h"
#include "clip/clip_file.h"
#include "clip/fingerprint.h"
#include "infer/inference_model.h"
#include "model/init_from_clip.h"
#include "train/checkpoints.h"
#include "train/folder_lock.h"
#include "train/pretrain_log.h"
#include "train/weight_average.h"

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

// What a person should know of the sources: how many photos there are and what is known of them.
std::string describe(const PretrainPhotos& source, int64_t batch) {
  const auto count = [&](auto member) {
    return std::ranges::count_if(
        source.photos, [&](const PretrainPhoto& photo) { return !(photo.*member).empty(); });
  };
  std::string text = fmt::format("{}: {}, {} of each batch of {}", source.title,
                                 counted(std::ssize(source.photos), "photo"), source.slots, batch);
  text += fmt::format("; {} with captions", count(&PretrainPhoto::captions));
  if (const int64_t named = count(&PretrainPhoto::names); named > 0) {
    text += fmt::format(", {} with names", named);
  }
  if (source.labelled) text += fmt::format(", labels of {} classes", source.data->classes().size());
  if (source.unused > 0) text += fmt::format("; {} left out, which no loss can use", source.unused);
  return text;
}

class Run {
 public:
  // `clip` has the sizes of `config`.
  Run(const PretrainConfig& config, Clip clip, const PretrainHooks& hooks)
      : config_(config),
        folder_(config.output),
        lock_(folder_, hooks.on_warning),
        clip_(std::move(clip)),
        sources_(config),
        batches_(config, sources_),
        start_(config.start.empty() ? "" : weights_fingerprint()),
        shards_(sources_.fingerprint()),
        device_(choose_device(config.device)),
        checkpoints_(folder_, kKept) {
    clip_.parameters.to(device_);
    training_.emplace(config_, clip_);
    optimizer_.emplace(training_->parameters(), config.optimizer);
    if (config.ema > 0) average_.emplace(clip_, config.ema);
    resume(hooks.on_warning);
    const PretrainConfig whole = with_absolute_inputs(config_);
    write_file(folder_ / "config.toml", to_toml(whole.fields()));
    if (!config.sources.empty()) {
      for (const PretrainPhotos& source : sources_.all()) {
        hooks.on_note(describe(source, config.batch));
      }
    }
    if (config.validates()) validator_.emplace(config);
    // The last validation follows the last state, and is made again with the same command.
    log_.emplace(folder_, step_, step_ == config.steps ? step_ - 1 : step_);
    loader_.emplace(config, batches_, step_);
  }

  int64_t step() const { return step_; }

  PretrainReport advance() {
    const auto start = std::chrono::steady_clock::now();
    const PretrainBatch batch = loader_->next().to(device_);
    optimizer_->zero_grad();
    const PretrainLosses losses = training_->compute_gradients(batch, step_);
    if (!std::isfinite(losses.total)) {
      throw failure(fmt::format("the loss is {} at step {}", losses.total, step_ + 1),
                    "lower optimizer.lr, or raise warmup");
    }
    const double lr = cosine_learning_rate(config_, step_);
    is_complete_ = false;
    optimizer_->step(lr);
    training_->limit_temperatures();
    ++step_;
    if (average_) average_->update(clip_, step_);
    is_complete_ = true;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const PretrainReport report{step_, losses, lr,
                                static_cast<double>(config_.batch) / seconds.count()};
    if (step_ % config_.log_every == 0) log_->add(report);
    return report;
  }

  // Measures the model after this step, where that is due.
  void validate(const PretrainHooks& hooks) {
    if (!validator_) return;
    if (step_ % config_.validate_every != 0 && step_ != config_.steps) return;
    const std::optional<PretrainMetrics> metrics = (*validator_)(result(), hooks.stop_requested);
    if (!metrics) return;
    log_->add(step_, *metrics);
    hooks.on_validation(step_, *metrics);
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
    std::map<std::string, at::Tensor> state = run_state(training_->parameters(), *optimizer_);
    if (average_) {
      for (const Parameter& parameter : average_->parameters()) {
        state[parameter.name] = parameter.tensor;
      }
    }
    checkpoints_.save(step_, state,
                      {{kStep, std::to_string(step_)},
                       {kConfig, to_json(settings)},
                       {kShards, shards_},
                       {kStart, start_}});
  }

  void save_result() const {
    save_clip(folder_ / "clip.safetensors", result(), StorageType::kFloat16,
              config_.loss.labels > 0 ? Metadata{{kTrainedPatches, "trained"}} : Metadata());
  }

 private:
  const Clip& result() const { return average_ ? average_->clip() : clip_; }

  std::string weights_fingerprint() const {
    std::vector<at::Tensor> weights;
    for (const Parameter& parameter : clip_.parameters.all()) weights.push_back(parameter.tensor);
    return fingerprint(weights);
  }

  // Throws Error(kBadInput) when the checkpoint is of other settings, images, captions or weights.
  void check_changes(const Checkpoint& found) const {
    const PretrainConfig defaults = defaults_beside(config_);
    // Checkpoints of earlier versions know files by their places alone.
    const bool knows_files = found.metadata.contains(kShards);
    std::vector<ChangedSetting> changes =
        changed_settings(found, kConfig, config_.fields(), defaults.fields());
    std::erase_if(changes, [&](const ChangedSetting& change) {
      return is_free_in_pretraining(change.name) ||
             (knows_files && names_files_of_pretraining(change.name));
    });
    if (!changes.empty()) throw other_settings(found, changes);
    const auto check = [&](const char* key, const std::string& now, const std::string& what) {
      if (!knows_files || stored_text(found, key) == now) return;
      throw bad_input(found.path.string() + " belongs to a run with other " + what,
                      "put the files back as they were to resume it, or choose another output "
                      "folder");
    };
    check(kShards, shards_,
          config_.sources.empty() ? "images or captions in its shards"
                                  : "photos, captions, names or labels in its sources");
    check(kStart, start_, "weights to start from");
  }

  void resume(const std::function<void(const std::string&)>& on_warning) {
    const std::optional<Checkpoint> found = checkpoints_.newest(on_warning);
    if (!found) return;
    check_changes(*found);
    restore(*found, training_->parameters(), *optimizer_);
    if (average_) restore(*found, average_->parameters());
    step_ = saved_ = stored_count(*found, kStep);
    checkpoints_.tidy(*found);
  }

  const PretrainConfig& config_;
  std::filesystem::path folder_;
  FolderLock lock_;
  Clip clip_;
  PretrainSources sources_;
  PretrainBatches batches_;
  std::string start_, shards_;  // fingerprints of what they hold
  at::Device device_;
  Checkpoints checkpoints_;
  std::optional<PretrainStep> training_;
  std::optional<AdamW> optimizer_;
  std::optional<WeightAverage> average_;
  std::optional<PretrainValidator> validator_;
  std::optional<PretrainLog> log_;
  std::optional<PretrainLoader> loader_;
  int64_t step_ = 0, saved_ = -1;
  bool is_complete_ = true;  // false while an update is under way
};

}  // namespace

int64_t pretrain(PretrainConfig config, const PretrainHooks& hooks) {
  config.check();
  Clip clip = starting_clip(config, hooks.on_warning);
  config.clip = clip.config;
  check_clip(config);
  Run run(config, std::move(clip), hooks);
  hooks.on_start(run.step());
  try {
    while (run.step() < config.steps) {
      hooks.on_step(run.advance());
      if (run.step() < config.steps) run.validate(hooks);
      if (hooks.stop_requested()) break;
      if (run.step() % config.save_every == 0) run.save_state();
    }
  } catch (...) {
    run.save_after_error(hooks.on_warning);
    throw;
  }
  run.save_state();
  if (run.step() < config.steps) return run.step();
  run.save_result();
  run.validate(hooks);
  return run.step();
}

}  // namespace tagclip
