#include "train/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/fields_json.h"
#include "base/labels.h"
#include "base/text.h"
#include "data/split_files.h"
#include "eval/evaluate.h"
#include "infer/options.h"
#include "infer/sliding_segmenter.h"
#include "metrics/known_mean.h"
#include "train/run_identity.h"

namespace tagclip {
namespace {

// The name of a set's class among those of all.
std::string class_name(const std::string& set, const std::string& name) { return set + "/" + name; }

double score_of(const SegmentationMetrics& metrics) {
  return std::isnan(metrics.harmonic_iou) ? metrics.mean_iou : metrics.harmonic_iou;
}

}  // namespace

double Validation::score() const {
  std::vector<double> scores;
  for (const SetMetrics& set : sets) scores.push_back(score_of(set.metrics));
  const double score = sets.empty() ? score_of(metrics) : known_mean(scores);
  return std::isnan(score) ? -1 : score;
}

Validator::Validator(const TrainConfig& config, const Trainer& trainer, const World& world)
    : config_(config), trainer_(trainer), world_(world) {
  const bool own = !config.val_data.folders.empty();
  for (const LabelSetOptions& set : measured_sets()) {
    Dataset data(set.data, config.val_split);
    EmbeddedVocabulary vocabulary = trainer.embed(data.words());
    const bool asked = !config.val_data.unseen.empty() || (own && !set.data.unseen.empty());
    std::vector<bool> seen = seen_split(data, asked, vocabulary, trainer.trained_on()).seen;
    const SlidingSegmenter checked(dense_model(trainer.model()), vocabulary, config.validation);
    const ConfusionMatrix empty(static_cast<int>(data.classes().size()));
    sets_.push_back({set.name, std::move(data), std::move(vocabulary), std::move(seen), {}});
  }
  if (world.is_root()) find_examples();
}

// The validation's data sets: those of the training with another split, or those that val_* name.
// Of several that are trained on, those without the split are left out.
std::vector<LabelSetOptions> Validator::measured_sets() {
  std::vector<LabelSetOptions> sets = validation_sets(config_);
  if (!config_.val_data.folders.empty() || sets.size() == 1) return sets;
  std::vector<LabelSetOptions> measured;
  for (const LabelSetOptions& set : sets) {
    const bool has_split =
        std::ranges::count(splits_of(read_dataset_info(set.data)), config_.val_split) > 0;
    if (has_split) {
      measured.push_back(set);
    } else {
      left_out_.push_back(set.name);
    }
  }
  if (!measured.empty()) return measured;
  throw bad_input(
      fmt::format("no data set of data has a split \"{}\" to validate on", config_.val_split),
      "name other data sets in val_data, or set val_split to nothing");
}

std::string Validator::photo_name(const Set& set, int64_t photo) const {
  return (size() == 1 ? "" : set.name + "/") + set.data.name(photo);
}

// The images whose predictions are kept: those that are named, or the first ones of all sets.
void Validator::find_examples() {
  if (config_.example_photos.empty()) {
    int64_t left = config_.examples;
    bool more = true;
    for (int64_t i = 0; more && left > 0; ++i) {
      more = false;
      for (Set& set : sets_) {
        if (left == 0 || i >= static_cast<int64_t>(set.data.size())) continue;
        set.examples.push_back(i);
        more = true;
        --left;
      }
    }
    return;
  }
  for (const std::string& name : config_.example_photos) {
    bool found = false;
    for (Set& set : sets_) {
      for (int64_t i = 0; !found && i < static_cast<int64_t>(set.data.size()); ++i) {
        found = set.data.name(i) == name || photo_name(set, i) == name;
        if (found) set.examples.push_back(i);
      }
    }
    if (found) continue;
    throw usage_error("example_photos: " + config_.val_split + " has no " + in_quotes(name),
                      "give names as they are in the list of the validation images");
  }
}

int64_t Validator::photos() const {
  int64_t photos = 0;
  for (const Set& set : sets_) photos += static_cast<int64_t>(set.data.size());
  return photos;
}

std::vector<std::string> Validator::classes() const {
  if (size() == 1) return sets_[0].data.classes();
  std::vector<std::string> names;
  for (const Set& set : sets_) {
    for (const std::string& name : set.data.classes()) names.push_back(class_name(set.name, name));
  }
  return names;
}

std::vector<bool> Validator::judged_seen() const {
  std::vector<bool> seen;
  for (const Set& set : sets_) {
    seen.insert(seen.end(), set.judged_seen.begin(), set.judged_seen.end());
  }
  return seen;
}

std::string Validator::contents() const {
  std::string text;
  for (const Set& set : sets_) {
    for (size_t c = 0; c < set.judged_seen.size(); ++c) {
      for (const std::string& word : set.data.words()[c].words) text += word + ", ";
      text += set.data.classes()[c] + (set.judged_seen[c] ? "\nseen\n" : "\nunseen\n");
    }
    for (size_t i = 0; i < set.data.size(); ++i) text += set.data.name(i) + "\n";
  }
  return text;
}

std::string Validator::identity() const {
  return text_fingerprint(to_json(scoring_fields(config_.validation)) + contents());
}

std::optional<Validation> Validator::operator()(const std::function<bool()>& stop_requested) const {
  Validation validation{};
  int64_t photos = 0;
  std::chrono::duration<double, std::milli> time{};
  for (size_t s = 0; s < size(); ++s) {
    const Set& set = sets_[s];
    const SlidingSegmenter segmenter(dense_model(trainer_.model()), set.vocabulary,
                                     config_.validation);
    bool stopped = false;
    int64_t of_set = 0;
    const auto set_begin = std::chrono::steady_clock::now();
    const Evaluation evaluation =
        evaluate(segmenter, set.data, world_, {}, [&](int64_t done, int64_t) {
          of_set = done;
          stopped = stop_requested();
          return !stopped;
        });
    if (world_.any(stopped)) return {};
    time += std::chrono::steady_clock::now() - set_begin;
    photos += of_set;
    validation.sets.push_back({set.name, summarise(evaluation.confusion, set.judged_seen)});
    predict_examples(s, segmenter, validation.examples);
  }
  validation.milliseconds_per_photo = time.count() / static_cast<double>(photos);
  validation.metrics = size() == 1 ? validation.sets[0].metrics : together(validation.sets);
  if (size() == 1) validation.sets.clear();
  return validation;
}

// The classes of several sets are numbered one after the other.
void Validator::predict_examples(size_t set, const SlidingSegmenter& segmenter,
                                 std::vector<Prediction>& predictions) const {
  size_t first = 0;
  for (size_t s = 0; s < set; ++s) first += sets_[s].data.classes().size();
  const auto renumber = [&](LabelMap& map) {
    for (uint16_t& label : map.labels) {
      if (label != kIgnoreIndex) label = static_cast<uint16_t>(label + first);
    }
  };
  for (const int64_t i : sets_[set].examples) {
    auto [photo, truth] = sets_[set].data.read(i);
    LabelMap labels = segmenter(photo).labels;
    renumber(labels);
    renumber(truth);
    predictions.push_back(
        {photo_name(sets_[set], i), std::move(photo), std::move(labels), std::move(truth)});
  }
}

}  // namespace tagclip
