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

// The data sets of the training. Throws Error(kBadInput) for a list of synonyms that says nothing
// of them.
LabelSets read_sets(const TrainConfig& config, const std::vector<ListedClass>& synonyms) {
  const std::vector<LabelSetOptions> sets = training_sets(config);
  LabelSets data(
      sets, config.train_split, synonyms, sets.size() > 1 ? config.data.unseen : "",
      config.bad_photos == BadImagePolicy::kSkip ? MissingFiles::kKept : MissingFiles::kRefused);
  if (!synonyms.empty() && join_classes(data.infos(), {}).words == data.classes().words) {
    throw bad_input(config.synonym_list + ": no line has a class of the data sets and another word",
                    "a line holds the words of one class: sofa, couch");
  }
  return data;
}

TrainedSet describe_set(const LabelSets& data, size_t set) {
  const DatasetInfo& info = data[set].data.info();
  return {.names = info.classes,
          .classes = data.classes().of_set[set],
          .dataset = std::string(info.kind->name),
          .reduce_zero_label = info.reduce_zero_label};
}

TrainedOn make_trained_on(const TrainConfig& config, const LabelSets& data) {
  const JoinedClasses& classes = data.classes();
  TrainedOn result{data.class_names(), classes.seen, parse_templates(config.prompt),
                   config.setting == Setting::kInductive};
  if (config.setting == Setting::kSupervised) result.seen.assign(classes.words.size(), true);
  if (data.single()) {
    result.dataset = data[0].data.info().kind->name;
    result.reduce_zero_label = data[0].data.info().reduce_zero_label;
  } else {
    for (size_t s = 0; s < data.size(); ++s) result.sets.push_back(describe_set(data, s));
  }
  result.judged_seen = classes.seen;
  const auto has_synonyms = [](const ClassWords& entry) { return entry.words.size() > 1; };
  if (std::ranges::none_of(classes.words, has_synonyms)) return result;
  for (const ClassWords& entry : classes.words) {
    result.synonyms.emplace_back(entry.words.begin() + 1, entry.words.end());
  }
  return result;
}

// The fingerprint of those parameters whose name `is_meant`.
template <class Predicate>
std::string fingerprint_of(const SegmentationModel& model, Predicate is_meant) {
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : model.parameters.all()) {
    if (is_meant(parameter.name)) tensors.push_back(parameter.tensor);
  }
  return fingerprint(tensors);
}

// The fingerprint of a trained model that a run starts from, in what training will change.
std::string hash_start(const TrainConfig& config, const SegmentationModel& model) {
  if (config.start.empty()) return {};
  return fingerprint_of(model,
                        [&](const std::string& name) { return is_trained(name, model.config); });
}

}  // namespace

std::string frozen_fingerprint_of(const SegmentationModel& model) {
  return fingerprint_of(model,
                        [&](const std::string& name) { return !is_trained(name, model.config); });
}

std::string clip_fingerprint_of(const SegmentationModel& model) {
  return fingerprint_of(model, [](const std::string& name) {
    return !name.starts_with("decode_head.") && !name.starts_with("backbone.prompt_") &&
           !name.starts_with("backbone.deep_prompt_");
  });
}

Trainer::Trainer(const TrainConfig& config, const World& world,
                 std::function<void(const std::string&)> warn)
    : config_(config),
      world_(world),
      warn_(std::move(warn)),
      synonyms_(config.synonym_list.empty() ? std::vector<ListedClass>()
                                            : read_class_file(config.synonym_list)),
      data_(read_sets(config, synonyms_)),
      trained_on_(make_trained_on(config, data_)),
      model_(starting_model(
          config, world.local_device(choose_device(config.device)),
          world.is_root() ? warn_ : [](const std::string&) {})),
      frozen_fingerprint_(frozen_fingerprint_of(model_)),
      start_fingerprint_(hash_start(config, model_)),
      vocabulary_(embed_anew(data_.classes().words)),
      step_text_(
          config, data_.classes(), vocabulary_.embeddings,
          [this](const std::vector<ClassWords>& words) { return embed_anew(words).embeddings; }),
      step_(model_, config, world),
      samples_(config, data_) {}

EmbeddedVocabulary Trainer::embed(const std::vector<ClassWords>& classes) const {
  return classes == data_.classes().words ? vocabulary_ : embed_anew(classes);
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
  const StepInput input = step_input(batch.pixels, batch.labels, step_text_(batch.set, iteration_),
                                     step_labels(config_, data_[batch.set].seen, iteration_));
  TrainReport report = step_.compute(input, iteration_);
  if (!data_.single()) report.set = data_[batch.set].name;
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
  for (const int64_t image : batch.images) {
    images += data_.photo_name(batch.set, image) + "\n";
  }
  save(path, {{"pixels", batch.pixels}, {"labels", batch.labels}},
       {{"iteration", std::to_string(report.iteration)}, {"photos", images}});
  throw failure(
      fmt::format(
          "iteration {}: the loss is {:g}, the norm of the gradients {:g}; the batch is in {}",
          report.iteration, report.total, report.gradient_norm, path.string()),
      "the parameters are unchanged; lower optimizer.lr, or use float32");
}

}  // namespace tagclip
