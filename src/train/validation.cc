#include "train/validation.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/error.h"
#include "base/fields_json.h"
#include "base/text.h"
#include "eval/evaluate.h"
#include "infer/options.h"
#include "infer/sliding_segmenter.h"
#include "train/run_identity.h"

namespace tagclip {
namespace {

// The validation's data set: that of the training with another split, or the one that val_* name.
DatasetOptions validation_options(const TrainConfig& config) {
  DatasetOptions options = config.val_data.folder.empty() ? config.data : config.val_data;
  if (!config.val_data.unseen.empty()) options.unseen = config.val_data.unseen;
  options.max_pixels = config.data.max_pixels;
  return options;
}

// The positions of the images whose predictions are kept.
std::vector<int64_t> find_examples(const TrainConfig& config, const Dataset& data) {
  std::vector<int64_t> result;
  if (config.example_photos.empty()) {
    result.resize(std::min<int64_t>(config.examples, static_cast<int64_t>(data.size())));
    std::iota(result.begin(), result.end(), 0);
    return result;
  }
  for (const std::string& name : config.example_photos) {
    int64_t i = 0;
    while (i < static_cast<int64_t>(data.size()) && data.name(i) != name) ++i;
    if (i == static_cast<int64_t>(data.size())) {
      throw usage_error("example_photos: " + config.val_split + " has no " + in_quotes(name),
                        "give names as they are in the list of the validation images");
    }
    result.push_back(i);
  }
  return result;
}

}  // namespace

Validator::Validator(const TrainConfig& config, const Trainer& trainer, const World& world)
    : config_(config),
      trainer_(trainer),
      world_(world),
      data_(validation_options(config), config.val_split),
      vocabulary_(trainer.embed(data_.words())),
      judged_seen_(
          seen_split(data_, !config.val_data.unseen.empty(), vocabulary_, trainer.trained_on())
              .seen),
      examples_(world.is_root() ? find_examples(config, data_) : std::vector<int64_t>()) {
  const SlidingSegmenter checked(dense_model(trainer.model()), vocabulary_, config.validation);
  const ConfusionMatrix empty(static_cast<int>(data_.classes().size()));
}

std::string Validator::identity() const {
  std::string text = to_json(scoring_fields(config_.validation));
  for (size_t c = 0; c < judged_seen_.size(); ++c) {
    for (const std::string& word : data_.words()[c].words) text += word + ", ";
    text += data_.classes()[c] + (judged_seen_[c] ? "\nseen\n" : "\nunseen\n");
  }
  for (size_t i = 0; i < data_.size(); ++i) text += data_.name(i) + "\n";
  return text_fingerprint(std::move(text));
}

std::optional<Validation> Validator::operator()(const std::function<bool()>& stop_requested) const {
  const SlidingSegmenter segmenter(dense_model(trainer_.model()), vocabulary_, config_.validation);
  bool stopped = false;
  int64_t photos = 0;
  const auto begin = std::chrono::steady_clock::now();
  const Evaluation evaluation = evaluate(segmenter, data_, world_, {}, [&](int64_t done, int64_t) {
    photos = done;
    stopped = stop_requested();
    return !stopped;
  });
  if (world_.any(stopped)) return {};
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  return Validation{summarise(evaluation.confusion, judged_seen_),
                    time.count() / static_cast<double>(photos), predict_examples(segmenter)};
}

std::vector<Prediction> Validator::predict_examples(const SlidingSegmenter& segmenter) const {
  std::vector<Prediction> result;
  for (const int64_t i : examples_) {
    auto [photo, truth] = data_.read(i);
    LabelMap labels = segmenter(photo).labels;
    result.push_back({data_.name(i), std::move(photo), std::move(labels), std::move(truth)});
  }
  return result;
}

}  // namespace tagclip
