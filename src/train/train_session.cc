#include "train/train_session.h"

#include <c10/util/StringUtil.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "clip/fingerprint.h"
#include "clip/text_embeddings.h"
#include "data_check/data_check.h"
#include "eval/evaluate.h"
#include "infer/inference_model.h"
#include "model/from_clip.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "tagclip.train.iteration";
constexpr const char* kValidated = "tagclip.train.validated";
constexpr const char* kBest = "tagclip.train.best";
constexpr const char* kFrozen = "tagclip.train.frozen";
constexpr const char* kConfig = "tagclip.train.config";

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
      folder_(config.output),
      device_(ranks.own(choose_device(config.device))),
      data_(config.data, config.train_split),
      trained_on_(make_trained_on(config, data_)),
      model_(starting_model(config, device_, told_once(hooks, ranks))),
      frozen_(frozen_fingerprint(model_)),
      vocabulary_(embed(data_.classes())),
      step_(model_, config, ranks),
      checkpoints_(folder_, config.keep),
      source_(config, data_) {
  open_validation();
  resume();
  check_agreement();
  check_labels();
  if (config.precision == ComputePrecision::kBFloat16) {
    lowered_.emplace(frozen_matrices(model_.parameters));
    lowered_->lower();
  }
  start_loader();
  if (!ranks.first()) return;
  create_folders(folder_);
  write_file(folder_ / "config.toml", to_toml(config_.fields()));
}

EmbeddedVocabulary TrainSession::embed(const std::vector<std::string>& names) const {
  std::vector<ClassWords> classes;
  for (const std::string& name : names) classes.push_back({{name}});
  TextEmbeddings embedded =
      embed_classes(*model_.text_encoder, model_.config.clip, classes, trained_on_.templates);
  return {.classes = classes,
          .seen = seen_classes(classes, trained_on_),
          .inductive = trained_on_.inductive,
          .templates = trained_on_.templates,
          .embeddings = std::move(embedded.rows),
          .rows_of_class = std::move(embedded.rows_of_class),
          .truncated = {}};
}

void TrainSession::open_validation() {
  if (config_.val_split.empty()) return;
  const bool same = config_.val_data.folder.empty();
  validation_.emplace(same ? config_.data : config_.val_data, config_.val_split);
  validation_vocabulary_ = same ? vocabulary_ : embed(validation_->classes());
  judged_seen_ = same ? validation_->seen() : validation_vocabulary_.seen;
}

// A mistake in the labels costs a night, finding it a second.
void TrainSession::check_labels() const {
  constexpr size_t kFiles = 300;
  if (!config_.check_data || !ranks_.first() || iteration_ > 0) return;
  const std::vector<Finding> errors = quick_check(config_.data, config_.train_split, kFiles);
  if (errors.empty()) return;
  throw bad_input(config_.data.folder + ": " + errors[0].what,
                  errors[0].advice + "; tagclip data check " + config_.data.folder +
                      " looks at everything, check_data = false trains all the same");
}

void TrainSession::resume() {
  const std::optional<Checkpoint> found = checkpoints_.newest(told_once(hooks_, ranks_));
  if (!found) return;
  const TrainConfig defaults;
  check_settings(*found, {kConfig, binding(config_.fields(), free_settings()),
                          binding(defaults.fields(), free_settings())});
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
  stage_.emplace(*loader_, config_.schedule.iterations - iteration_, device_);
}

TrainReport TrainSession::advance() {
  const auto start = std::chrono::steady_clock::now();
  const LabelledBatch batch = stage_->next();
  for (const std::string& complaint : source_.take_complaints()) {
    hooks_.on_warning("a training photo is skipped: " + complaint);
  }
  const StepInput input = step_input(batch.pixels, batch.labels, vocabulary_.embeddings,
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

std::optional<Validation> TrainSession::validate() {
  if (lowered_) lowered_->raise();
  std::optional<Validation> validation = measure();
  if (validation) validated_ = iteration_;
  if (validation && rank(validation->metrics) > best_) {
    best_ = rank(validation->metrics);
    write_model(folder_ / "best.safetensors");
  }
  if (lowered_) lowered_->lower();
  return validation;
}

std::optional<Validation> TrainSession::measure() {
  const SlidingSegmenter segmenter(dense_model(model_), validation_vocabulary_,
                                   {.weighting = config_.weighting});
  bool stopped = false;
  const ConfusionMatrix confusion =
      evaluate(segmenter, *validation_, ranks_, [&](int64_t, int64_t) {
        stopped = hooks_.stop_requested();
        return !stopped;
      });
  if (ranks_.sum(stopped ? 1 : 0) > 0) return {};
  return Validation{summarise(confusion, judged_seen_), predict_examples(segmenter)};
}

std::vector<Prediction> TrainSession::predict_examples(const SlidingSegmenter& segmenter) const {
  std::vector<Prediction> result;
  const auto count = std::min<int64_t>(config_.examples, static_cast<int64_t>(validation_->size()));
  for (int64_t i = 0; ranks_.first() && i < count; ++i) {
    auto [photo, truth] = validation_->read(i);
    LabelMap labels = segmenter(photo).labels;
    result.push_back({validation_->name(i), std::move(photo), std::move(labels), std::move(truth)});
  }
  return result;
}

// The classes are those that are measured.
RunData TrainSession::run_data() const {
  const auto train = static_cast<int64_t>(data_.size());
  if (!validation_) return {config_.data.folder, train, 0, data_.classes(), data_.seen()};
  const std::string& other = config_.val_data.folder;
  return {other.empty() ? config_.data.folder : config_.data.folder + " -> " + other, train,
          static_cast<int64_t>(validation_->size()), validation_->classes(), judged_seen_};
}

RunRecord TrainSession::record() const {
  int64_t trained = 0;
  for (const Parameter& parameter : model_.parameters.trained())
    trained += parameter.tensor.numel();
  const bool mixed = config_.precision == ComputePrecision::kBFloat16;
  return {.tagclip = TAGCLIP_VERSION,
          .libtorch = TORCH_VERSION,
          .label = config_.label,
          .seed = config_.seed,
          .device = device_.str(),
          .precision = mixed ? "bfloat16" : "float32",
          .ranks = ranks_.size(),
          .data = run_data(),
          .iterations = config_.schedule.iterations,
          .trained_parameters = trained,
          .all_parameters = model_.parameters.count()};
}

Metadata TrainSession::progress() {
  return {{kIteration, std::to_string(iteration_)},
          {kConfig, to_json(binding(config_.fields(), free_settings()))}};
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
