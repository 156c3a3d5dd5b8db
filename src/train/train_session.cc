#include "train/train_session.h"

#include <c10/util/StringUtil.h>

#include <chrono>
#include <cmath>

#include "base/atomic_file.h"
#include "base/config_file.h"
#include "base/error.h"
#include "clip/clip_file.h"
#include "clip/fingerprint.h"
#include "clip/text_embeddings.h"
#include "infer/inference_model.h"
#include "model/from_clip.h"
#include "train/evaluate.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "tagclip.train.iteration";
constexpr const char* kValidated = "tagclip.train.validated";
constexpr const char* kBest = "tagclip.train.best";
constexpr const char* kFrozen = "tagclip.train.frozen";
constexpr const char* kConfig = "tagclip.train.config";

const FreeSettings kFree = {"output",         "label",      "device",      "log_every",
                            "validate_every", "save_every", "keep",        "examples",
                            "workers",        "prefetch",   "rank_timeout"};

using Warning = std::function<void(const std::string&)>;

SegmentationModel starting_model(const TrainConfig& config, at::Device device,
                                 const Warning& warn) {
  const auto [clip, assumption, knows_temperature] = load_starting_clip(config.clip);
  if (!assumption.empty()) warn(config.clip + ": " + assumption);
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

TrainedOn make_trained_on(const TrainConfig& config, const Dataset& data) {
  TrainedOn result{data.classes(), data.seen(), parse_templates(config.prompt),
                   config.setting == Setting::kInductive};
  if (config.setting == Setting::kSupervised) result.seen.assign(data.classes().size(), true);
  return result;
}

// Of what all ranks come upon the first one tells.
Warning told_once(const TrainHooks& hooks, const Ranks& ranks) {
  return ranks.first() ? hooks.on_warning : [](const std::string&) {};
}

// Everything but what a checkpoint holds.
std::string frozen_fingerprint(const SegmentationModel& model) {
  std::vector<at::Tensor> frozen;
  for (const Parameter& parameter : model.parameters.all()) {
    if (!is_trained(parameter.name, model.config)) frozen.push_back(parameter.tensor);
  }
  return fingerprint(frozen);
}

// What validation is ranked by: hIoU, or mIoU where nothing is unseen. -1 for "cannot be told".
double rank(const SegmentationMetrics& metrics) {
  const double value = std::isnan(metrics.harmonic_iou) ? metrics.mean_iou : metrics.harmonic_iou;
  return std::isnan(value) ? -1 : value;
}

void check_share(const TrainConfig& config, const Ranks& ranks) {
  if (config.batch % ranks.size() == 0) return;
  throw usage_error(
      c10::str("batch: expected a multiple of the ", ranks.size(), " ranks, found ", config.batch));
}

}  // namespace

TrainSession::TrainSession(const TrainConfig& config, const Ranks& ranks, const TrainHooks& hooks)
    : config_((check_share(config, ranks), config)),
      ranks_(ranks),
      hooks_(hooks),
      settings_(config),
      folder_(config.output),
      device_(ranks.own(choose_device(config.device))),
      data_(config.data, config.train_split),
      trained_on_(make_trained_on(config, data_)),
      model_(starting_model(config, device_, told_once(hooks, ranks))),
      frozen_(frozen_fingerprint(model_)),
      vocabulary_(vocabulary()),
      step_(model_, config, ranks),
      checkpoints_(folder_, config.keep),
      source_(config, data_) {
  if (!config.val_split.empty()) validation_.emplace(config.data, config.val_split);
  resume();
  check_agreement();
  if (config.precision == ComputePrecision::kBFloat16) {
    lowered_.emplace(frozen_matrices(model_.parameters));
    lowered_->lower();
  }
  start_loader();
  if (!ranks.first()) return;
  create_folders(folder_);
  write_file(folder_ / "config.toml", to_toml(settings_.fields()));
}

// All classes of the data set, as validation asks for them.
EmbeddedVocabulary TrainSession::vocabulary() const {
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

void TrainSession::resume() {
  const std::optional<Checkpoint> found = checkpoints_.newest(told_once(hooks_, ranks_));
  if (!found) return;
  TrainConfig defaults;
  check_settings(*found,
                 {kConfig, binding(settings_.fields(), kFree), binding(defaults.fields(), kFree)});
  if (const auto frozen = found->metadata.find(kFrozen);
      frozen == found->metadata.end() || frozen->second != frozen_) {
    throw bad_input(found->path.string() + " belongs to a run that started from another CLIP",
                    "set clip to the file it was, or choose another output folder");
  }
  restore(*found, model_.parameters.trained(), step_.optimizer());
  iteration_ = stored_count(*found, kIteration);
  validated_ = stored_count(*found, kValidated);
  best_ = stored_number(*found, kBest);
  ranks_.wait_for_all();  // the others may still be reading
  if (ranks_.first()) checkpoints_.tidy(*found);
}

// Every rank reads the checkpoints for itself.
void TrainSession::check_agreement() const {
  const double sum = ranks_.sum(static_cast<double>(iteration_));
  if (sum == static_cast<double>(iteration_ * ranks_.size())) return;
  throw bad_input(c10::str("rank ", ranks_.rank(), " finds ", iteration_, " iterations done in ",
                           folder_.string(), ", others find another number"),
                  "the output folder must be one that all ranks share");
}

void TrainSession::start_loader() {
  loader_.emplace(source_, LoaderOptions{.first = iteration_,
                                         .last = config_.schedule.iterations,
                                         .share = {ranks_.rank(), ranks_.size()},
                                         .workers = config_.workers,
                                         .prefetch = config_.prefetch,
                                         .pinned = device_.is_cuda()});
}

TrainReport TrainSession::advance() {
  const auto start = std::chrono::steady_clock::now();
  const LabelledBatch batch = loader_->next();
  for (const std::string& complaint : source_.take_complaints()) {
    hooks_.on_warning("a training photo is skipped: " + complaint);
  }
  const StepInput input =
      step_input(batch.pixels.to(device_, /*non_blocking=*/true),
                 batch.labels.to(device_, /*non_blocking=*/true), vocabulary_.embeddings,
                 step_classes(config_, data_.seen(), iteration_));
  TrainReport report = step_.compute(input, iteration_);
  if (!report.finite()) give_up(report, batch);
  step_.update(iteration_);
  ++iteration_;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  report.images_per_second = static_cast<double>(config_.batch) / seconds.count();
  return report;
}

void TrainSession::give_up(const TrainReport& report, const LabelledBatch& batch) {
  const std::filesystem::path path = folder_ / c10::str("not_finite_iteration_", report.iteration,
                                                        "_rank_", ranks_.rank(), ".safetensors");
  std::string photos;
  for (const int64_t photo : batch.photos) photos += data_.name(photo) + "\n";
  save(path, {{"pixels", batch.pixels}, {"labels", batch.labels}},
       {{"iteration", std::to_string(report.iteration)}, {"photos", photos}});
  throw failure(c10::str("iteration ", report.iteration, ": the loss is ", report.total,
                         ", the norm of the gradients ", report.gradient_norm, "; the batch is in ",
                         path.string()),
                "nothing was changed by it; lower optimizer.lr, or use float32");
}

bool TrainSession::validation_is_due() const {
  if (!validation_ || iteration_ == 0 || validated_ == iteration_) return false;
  return iteration_ % config_.validate_every == 0 || iteration_ == config_.schedule.iterations;
}

std::optional<SegmentationMetrics> TrainSession::validate() {
  if (lowered_) lowered_->raise();
  const std::optional<SegmentationMetrics> metrics = measure();
  if (metrics) validated_ = iteration_;
  if (metrics && rank(*metrics) > best_) {
    best_ = rank(*metrics);
    write_model(folder_ / "best.safetensors");
  }
  if (lowered_) lowered_->lower();
  return metrics;
}

std::optional<SegmentationMetrics> TrainSession::measure() {
  const SlidingSegmenter segmenter(model_, vocabulary_, {.weighting = config_.weighting});
  bool stopped = false;
  const ConfusionMatrix confusion =
      evaluate(segmenter, *validation_, ranks_, [&](int64_t, int64_t) {
        stopped = hooks_.stop_requested();
        return !stopped;
      });
  if (ranks_.sum(stopped ? 1 : 0) > 0) return {};
  return summarise(confusion, validation_->seen());
}

Metadata TrainSession::progress() {
  return {{kIteration, std::to_string(iteration_)},
          {kConfig, to_json(binding(settings_.fields(), kFree))}};
}

void TrainSession::write_model(const std::filesystem::path& path) {
  if (!ranks_.first()) return;
  tagclip::save_model(path, model_, trained_on_, config_.save_precision, progress());
}

void TrainSession::save_model() {
  if (lowered_) lowered_->raise();
  write_model(model_path());
  if (lowered_) lowered_->lower();
}

void TrainSession::save_state() {
  if (!ranks_.first()) return;
  Metadata metadata = progress();
  metadata[kValidated] = std::to_string(validated_);
  metadata[kBest] = exact(best_);
  metadata[kFrozen] = frozen_;
  checkpoints_.save(iteration_, run_state(model_.parameters.trained(), step_.optimizer()),
                    std::move(metadata));
}

}  // namespace tagclip
