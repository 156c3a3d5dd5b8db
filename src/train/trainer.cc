#include "train/trainer.h"

#include <c10/util/StringUtil.h>

#include <chrono>
#include <cmath>

#include "base/atomic_file.h"
#include "base/config_file.h"
#include "base/error.h"
#include "clip/clip_file.h"
#include "clip/text_embeddings.h"
#include "infer/inference_model.h"
#include "model/checkpoint.h"
#include "model/from_clip.h"
#include "train/evaluate.h"
#include "train/run_log.h"
#include "train/run_state.h"
#include "train/sample_batches.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "tagclip.train.iteration";
constexpr const char* kBest = "tagclip.train.best";
constexpr const char* kConfig = "tagclip.train.config";

const FreeSettings kFree = {"output", "device", "log_every", "validate_every", "save_every"};

SegmentationModel starting_model(const TrainConfig& config, at::Device device,
                                 const TrainHooks& hooks) {
  const auto [clip, assumption, knows_temperature] = load_starting_clip(config.clip);
  if (!assumption.empty()) hooks.on_warning(config.clip + ": " + assumption);
  if (config.augment.crop_size % clip.config.patch != 0) {
    throw usage_error(c10::str("augment.crop_size: expected a multiple of the CLIP's patches of ",
                               clip.config.patch, " pixels, found ", config.augment.crop_size));
  }
  ModelConfig model_config = config.model;
  model_config.clip = clip.config;
  model_config.clip.resolution = config.augment.crop_size;
  SegmentationModel model(model_config, /*with_text_tower=*/true);
  at::Generator generator = at::detail::createCPUGenerator(config.seed);
  model.parameters.initialise(generator);
  start_from_clip(model, clip);
  model.parameters.to(device);
  return model;
}

TrainedOn trained_on(const TrainConfig& config, const Dataset& data) {
  const bool inductive = config.setting == Setting::kInductive;
  TrainedOn result{data.classes(), data.seen(), parse_templates(config.prompt), inductive};
  if (!inductive) result.seen.assign(data.classes().size(), true);
  return result;
}

// What validation is ranked by: hIoU, or mIoU where nothing is unseen. -1 for "cannot be told".
double rank(const SegmentationMetrics& metrics) {
  const double value = std::isnan(metrics.harmonic_iou) ? metrics.mean_iou : metrics.harmonic_iou;
  return std::isnan(value) ? -1 : value;
}

class Run {
 public:
  Run(const TrainConfig& config, const TrainHooks& hooks)
      : config_(config),
        settings_(config),
        folder_(config.output),
        device_(choose_device(config.device)),
        data_(config.data, config.train_split),
        batches_(config_, data_),
        trained_on_(trained_on(config, data_)),
        model_(starting_model(config, device_, hooks)),
        vocabulary_(vocabulary()),
        step_(model_, training_text(), config) {
    if (!config.val_split.empty()) validation_.emplace(config.data, config.val_split);
    create_folders(folder_);
    if (std::filesystem::exists(folder_ / "last.safetensors")) resume();
    write_file(folder_ / "config.toml", to_toml(settings_.fields()));
  }

  int64_t iteration() const { return iteration_; }

  TrainReport advance() {
    const auto start = std::chrono::steady_clock::now();
    TrainReport report = step_(batches_.batch(iteration_), iteration_);
    ++iteration_;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    report.images_per_second = config_.batch / seconds.count();
    return report;
  }

  // Nothing to measure without a validation split.
  std::optional<SegmentationMetrics> validate() {
    if (!validation_) return {};
    const SlidingSegmenter segmenter(model_, vocabulary_);
    const SegmentationMetrics metrics =
        summarise(evaluate(segmenter, *validation_), trained_on_.seen);
    if (rank(metrics) > best_) {
      best_ = rank(metrics);
      save_weights("best.safetensors");
    }
    return metrics;
  }

  void save_weights(const char* name) {
    save_model(folder_ / name, model_, trained_on_, config_.save_precision,
               {{kIteration, std::to_string(iteration_)}, {kConfig, to_json(settings_.fields())}});
  }

  void save_state() {
    std::map<std::string, at::Tensor> tensors = step_.optimizer().state();
    for (const Parameter& p : model_.parameters.all()) tensors[p.name] = p.tensor;
    Metadata metadata = describe(model_.config, trained_on_);
    metadata[kIteration] = std::to_string(iteration_);
    metadata[kBest] = exact(best_);
    metadata[kConfig] = to_json(settings_.fields());
    save(folder_ / "last.safetensors", tensors, metadata);
  }

 private:
  // All classes of the data set, as validation asks for them.
  EmbeddedVocabulary vocabulary() const {
    std::vector<ClassWords> classes;
    for (const std::string& name : data_.classes()) classes.push_back({{name}});
    TextEmbeddings embedded =
        embed_classes(*model_.text_encoder, model_.config.clip, classes, trained_on_.templates);
    return {.classes = classes,
            .seen = trained_on_.seen,
            .inductive = trained_on_.inductive,
            .templates = trained_on_.templates,
            .embeddings = std::move(embedded.rows),
            .rows_of_class = std::move(embedded.rows_of_class),
            .truncated = {}};
  }

  at::Tensor training_text() const {  // [C, d]
    const at::Tensor index = at::tensor(batches_.training_classes(), at::kLong);
    return vocabulary_.embeddings.index_select(0, index.to(device_));
  }

  void resume() {
    const std::filesystem::path path = folder_ / "last.safetensors";
    const Metadata metadata =
        restore(path, kConfig, settings_.fields(), kFree, model_.parameters, step_.optimizer());
    iteration_ = stored_count(metadata, kIteration, path);
    best_ = stored_number(metadata, kBest, path);
  }

  const TrainConfig& config_;
  TrainConfig settings_;  // a copy: listing the fields takes a mutable one
  std::filesystem::path folder_;
  at::Device device_;
  Dataset data_;
  SampleBatches batches_;
  TrainedOn trained_on_;
  SegmentationModel model_;
  EmbeddedVocabulary vocabulary_;  // made once: training leaves the text tower as it is
  TrainStep step_;
  std::optional<Dataset> validation_;
  int64_t iteration_ = 0;
  double best_ = -1;
};

}  // namespace

int64_t train(const TrainConfig& config, const TrainHooks& hooks) {
  config.check();
  Run run(config, hooks);
  RunLog log(config.output, run.iteration());
  hooks.on_start(run.iteration());
  const int64_t last = config.schedule.iterations;
  while (run.iteration() < last) {
    const TrainReport report = run.advance();
    hooks.on_step(report);
    if (report.iteration % config.log_every == 0) log.add(report);
    if (report.iteration % config.validate_every == 0 || report.iteration == last) {
      if (const auto metrics = run.validate()) {
        log.add(report.iteration, *metrics);
        hooks.on_validation(report.iteration, *metrics);
      }
    }
    const bool stop = hooks.stop_requested();
    if (stop || report.iteration % config.save_every == 0 || report.iteration == last)
      run.save_state();
    if (stop) return run.iteration();
  }
  run.save_weights("model.safetensors");
  return run.iteration();
}

}  // namespace tagclip
