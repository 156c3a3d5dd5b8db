#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace tagclip {
namespace {

template <class Number>
void add_up(std::span<Number> numbers, const World& world) {
  at::Tensor all =
      at::from_blob(numbers.data(), {std::ssize(numbers)}, c10::CppTypeToScalarType<Number>::value);
  world.all_reduce_sum(all);
}

// Adds up the parts of all ranks, as far as they are measured.
void add_up(Evaluation& evaluation, const Measures& measures, bool with_presence,
            const World& world) {
  add_up(evaluation.confusion.counts(), world);
  if (measures.boundary) add_up(evaluation.boundary.sums(), world);
  if (measures.reliability) {
    add_up(evaluation.reliable_seen.counts(), world);
    add_up(evaluation.reliable_new.counts(), world);
  }
  if (!with_presence) return;
  PresenceCounts& presence = evaluation.presence;
  for (double* count :
       {&presence.there, &presence.there_kept, &presence.absent, &presence.absent_refused}) {
    *count = world.all_reduce_sum(*count);
  }
}

void count_presence(const LabelMap& truth, const SegmentedPhoto& found, size_t classes,
                    PresenceCounts& counts) {
  std::vector<bool> is_there(found.presence.size());
  for (const uint16_t label : truth.labels) {
    if (label < classes) is_there[label] = true;
  }
  for (size_t c = 0; c < is_there.size(); ++c) {
    const bool refused = std::ranges::binary_search(found.absent, c);
    (is_there[c] ? counts.there : counts.absent) += 1;
    if (is_there[c] && !refused) counts.there_kept += 1;
    if (!is_there[c] && refused) counts.absent_refused += 1;
  }
}

void count_reliability(const LabelMap& truth, const SegmentedPhoto& found,
                       const std::vector<bool>& seen, size_t classes, Evaluation& evaluation) {
  for (size_t i = 0; i < truth.labels.size(); ++i) {
    const uint16_t label = found.labels.labels[i];
    if (truth.labels[i] >= classes || label == kIgnoreIndex) continue;
    Reliability& kind = seen[label] ? evaluation.reliable_seen : evaluation.reliable_new;
    kind.add(found.scores[i], label == truth.labels[i]);
  }
}

void count(const LabelMap& truth, const SegmentedPhoto& found, const std::vector<bool>& seen,
           const Measures& measures, Evaluation& evaluation) {
  const auto classes = static_cast<size_t>(evaluation.confusion.classes());
  evaluation.confusion.add(truth.labels, found.labels.labels);
  if (measures.boundary) evaluation.boundary.add(truth.labels, found.labels.labels, truth.width);
  if (measures.reliability) count_reliability(truth, found, seen, classes, evaluation);
  if (!found.presence.empty()) count_presence(truth, found, classes, evaluation.presence);
}

}  // namespace

Evaluation evaluate(const SlidingSegmenter& segmenter, const Dataset& data, const World& world,
                    const Measures& measures, const EvaluationProgress& progress,
                    const std::function<void(const std::string&)>& warn) {
  const EmbeddedVocabulary& vocabulary = segmenter.vocabulary();
  TAGCLIP_CHECK(vocabulary.classes.size() >= data.classes().size(),
                "the vocabulary must begin with the set's classes");
  Evaluation evaluation(static_cast<int>(data.classes().size()));
  const auto photos = static_cast<int64_t>(data.size());
  const int64_t ours = (photos - world.rank() + world.size() - 1) / world.size();
  const auto most = static_cast<int64_t>(segmenter.encoder().photos_per_batch());
  bool go_on = true;
  for (int64_t begin = 0; go_on && begin < ours; begin += most) {
    std::vector<Image> images;
    std::vector<LabelMap> truths;
    const auto index_of = [&](int64_t own) { return world.rank() + own * world.size(); };
    for (int64_t i = begin; i < std::min(begin + most, ours); ++i) {
      LabelledImage photo = data.read(index_of(i));
      if (!photo.image.warning.empty()) warn(photo.image.warning);
      about_file(data.image_path(index_of(i)).string(), [&] {
        plan_windows({photo.image.width, photo.image.height}, segmenter.encoder().grid());
      });
      images.push_back(std::move(photo.image));
      truths.push_back(std::move(photo.labels));
    }
    StageTimes unused;
    const std::vector<EncodedPhoto> encoded = segmenter.encoder()(images, unused);
    for (size_t i = 0; go_on && i < encoded.size(); ++i) {
      const int64_t own = begin + static_cast<int64_t>(i);
      about_file(data.image_path(index_of(own)).string(), [&] {
        count(truths[i], segmenter(encoded[i]), vocabulary.seen, measures, evaluation);
      });
      go_on = progress(own + 1, ours);
    }
  }
  add_up(evaluation, measures, vocabulary.everyday.defined(), world);
  return evaluation;
}

SeenSplit seen_split(const Dataset& data, bool asked, const EmbeddedVocabulary& vocabulary,
                     const TrainedOn& trained_on) {
  if (asked) return {data.seen(), "the unseen classes that were named"};
  const bool known = !trained_on.classes.empty();
  const std::optional<TrainedSet> same = trained_on.set_of(data.classes());
  if (same && !trained_on.judged_seen.empty()) {
    std::vector<bool> judged;
    for (const int64_t c : same->classes) judged.push_back(trained_on.judged_seen[c]);
    return {judged, "the split of the model's training"};
  }
  const bool has_split = std::ranges::count(data.seen(), false) > 0;
  if (!known || (has_split && same)) return {data.seen(), "the data set's split"};
  std::vector<bool> seen = vocabulary.seen;
  seen.resize(data.classes().size());
  return {std::move(seen), "the classes of the model's training"};
}

TrainedReading read_as_trained(const DatasetOptions& asked, const TrainedOn& trained_on) {
  const auto read = [](const DatasetOptions& of) -> std::optional<DatasetInfo> {
    try {
      return read_dataset_info(of);
    } catch (const Error&) {
      return {};  // no such set: what is wrong with it is told by whoever reads it as asked
    }
  };
  for (const TrainedSet& set : trained_on.all_sets()) {
    TrainedReading reading{asked, {}};
    DatasetOptions& options = reading.options;
    if (asked.kind == "auto" && !set.dataset.empty()) options.kind = set.dataset;
    if (asked.zero_label == ZeroLabel::kAuto && set.reduce_zero_label) {
      options.zero_label = *set.reduce_zero_label ? ZeroLabel::kReduce : ZeroLabel::kKeep;
    }
    const std::optional<DatasetInfo> info = read(options);
    if (!info || info->classes != set.names) continue;
    const std::optional<DatasetInfo> otherwise = read(asked);
    if (!otherwise || otherwise->kind != info->kind) {
      reading.taken = fmt::format("a set of the kind {}", info->kind->name);
    }
    if (!otherwise || otherwise->reduce_zero_label != info->reduce_zero_label) {
      reading.taken += fmt::format("{}label 0 is {}", reading.taken.empty() ? "" : ", ",
                                   info->reduce_zero_label ? "void" : "a class");
    }
    return reading;
  }
  return {asked, {}};
}

}  // namespace tagclip
