#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "clip/fingerprint.h"
#include "clip/text_embeddings.h"
#include "infer/inference_model.h"
#include "train/starting_model.h"

namespace tagclip {
namespace {

TrainedOn make_trained_on(const TrainConfig& config, const Dataset& data) {
  TrainedOn result{data.classes(), data.seen(), parse_templates(config.prompt),
                   config.setting == Setting::kInductive};
  if (config.setting == Setting::kSupervised) result.seen.assign(data.classes().size(), true);
  result.dataset = data.info().kind->name;
  result.reduce_zero_label = data.info().reduce_zero_label;
  result.judged_seen = data.seen();
  const auto has_synonyms = [](const ClassWords& entry) { return entry.words.size() > 1; };
  if (std::ranges::none_of(data.words(), has_synonyms)) return result;
  for (const ClassWords& entry : data.words()) {
    result.synonyms.emplace_back(entry.words.begin() + 1, entry.words.end());
  }
  return result;
}

// The hash of a trained model that a run starts from, in what training will change.
std::string hash_start(const TrainConfig& config, const SegmentationModel& model) {
  if (config.start.empty()) return {};
  std::vector<at::Tensor> trained;
  for (const Parameter& parameter : model.parameters.all()) {
    if (is_trained(parameter.name, model.config)) trained.push_back(parameter.tensor);
  }
  return fingerprint(trained);
}

}  // namespace

std::string frozen_fingerprint_of(const SegmentationModel& model) {
  std::vector<at::Tensor> frozen;
  for (const Parameter& parameter : model.parameters.all()) {
    if (!is_trained(parameter.name, model.config)) frozen.push_back(parameter.tensor);
  }
  return fingerprint(frozen);
}

Trainer::Trainer(const TrainConfig& config, const World& world,
                 std::function<void(const std::string&)> warn)
    : config_(config),
      world_(world),
      warn_(std::move(warn)),
      data_(config.data, config.train_split),
      trained_on_(make_trained_on(config, data_)),
      model_(starting_model(
          config, world.local_device(choose_device(config.device)),
          world.is_root() ? warn_ : [](const std::string&) {})),
      frozen_fingerprint_(frozen_fingerprint_of(model_)),
      start_fingerprint_(hash_start(config, model_)),
      vocabulary_(embed_anew(data_.words())),
      step_(model_, config, world),
      samples_(config, data_) {}

EmbeddedVocabulary Trainer::embed(const std::vector<ClassWords>& classes) const {
  return classes == data_.words() ? vocabulary_ : embed_anew(classes);
}

EmbeddedVocabulary Trainer::embed_anew(const std::vector<ClassWords>& classes) const {
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

void Trainer::restore(const Checkpoint& checkpoint, int64_t iteration) {
  tagclip::restore(checkpoint, model_.parameters.trained(), step_.optimizer());
  iteration_ = iteration;
}

void Trainer::start() {
  if (config_.precision == ComputePrecision::kBFloat16) {
    frozen_bf16_.emplace(frozen_matrices(model_.parameters));
  }
  const bool on_gpu = model_.device().is_cuda();
  loader_.emplace(samples_, LoaderOptions{.first = iteration_,
                                          .last = config_.schedule.iterations,
                                          .share = {world_.rank(), world_.size()},
                                          .workers = config_.workers,
                                          .prefetch = config_.prefetch,
                                          .pinned = on_gpu});
  prefetcher_.emplace(*loader_, config_.schedule.iterations - iteration_, model_.device());
}

std::unique_ptr<FrozenBf16Weights::Float32Scope> Trainer::in_float32() {
  if (!frozen_bf16_) return nullptr;
  return std::make_unique<FrozenBf16Weights::Float32Scope>(*frozen_bf16_);
}

TrainReport Trainer::advance() {
  const auto begin = std::chrono::steady_clock::now();
  const LabelledBatch batch = prefetcher_->next();
  for (const std::string& warning : samples_.take_warnings()) warn_(warning);
  const StepInput input = step_input(batch.pixels, batch.labels, vocabulary_.embeddings,
                                     step_labels(config_, data_.seen(), iteration_));
  TrainReport report = step_.compute(input, iteration_);
  if (!report.finite()) give_up(report, batch);
  is_complete_ = false;
  step_.update(iteration_);
  ++iteration_;
  is_complete_ = true;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  report.images_per_second = static_cast<double>(config_.batch) / seconds.count();
  return report;
}

void Trainer::give_up(const TrainReport& report, const LabelledBatch& batch) const {
  const std::filesystem::path path =
      std::filesystem::path(config_.output) /
      fmt::format("not_finite_iteration_{}_rank_{}.safetensors", report.iteration, world_.rank());
  std::string images;
  for (const int64_t image : batch.images) images += data_.name(image) + "\n";
  save(path, {{"pixels", batch.pixels}, {"labels", batch.labels}},
       {{"iteration", std::to_string(report.iteration)}, {"photos", images}});
  throw failure(
      fmt::format(
          "iteration {}: the loss is {:g}, the norm of the gradients {:g}; the batch is in {}",
          report.iteration, report.total, report.gradient_norm, path.string()),
      "the parameters are unchanged; lower optimizer.lr, or use float32");
}

}  // namespace tagclip
