#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace tagclip {
namespace {

void add_up(ConfusionMatrix& confusion, const World& world) {
  const std::span<int64_t> counts = confusion.counts();
  at::Tensor all = at::from_blob(counts.data(), {static_cast<int64_t>(counts.size())}, at::kLong);
  world.all_reduce_sum(all);
}

}  // namespace

ConfusionMatrix evaluate(const SlidingSegmenter& segmenter, const Dataset& data, const World& world,
                         const EvaluationProgress& progress,
                         const std::function<void(const std::string&)>& warn) {
  TAGCLIP_CHECK(segmenter.vocabulary().classes.size() == data.classes().size(),
                "the vocabulary must be the set's class list");
  ConfusionMatrix confusion(static_cast<int>(data.classes().size()));
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
      about_file(data.image_path(index_of(own)).string(),
                 [&] { confusion.add(truths[i].labels, segmenter(encoded[i]).labels.labels); });
      go_on = progress(own + 1, ours);
    }
  }
  add_up(confusion, world);
  return confusion;
}

SeenSplit seen_split(const Dataset& data, bool asked, const EmbeddedVocabulary& vocabulary,
                     const TrainedOn& trained_on) {
  if (asked) return {data.seen(), "the unseen classes that were named"};
  const bool known = !trained_on.classes.empty();
  const bool same_classes = trained_on.classes == data.classes();
  if (same_classes && !trained_on.judged_seen.empty()) {
    return {trained_on.judged_seen, "the split of the model's training"};
  }
  const bool has_split = std::ranges::count(data.seen(), false) > 0;
  if (!known || (has_split && same_classes)) return {data.seen(), "the data set's split"};
  return {vocabulary.seen, "the classes of the model's training"};
}

TrainedReading read_as_trained(const DatasetOptions& asked, const TrainedOn& trained_on) {
  TrainedReading reading{asked, {}};
  DatasetOptions& options = reading.options;
  if (asked.kind == "auto" && !trained_on.dataset.empty()) options.kind = trained_on.dataset;
  if (asked.zero_label == ZeroLabel::kAuto && trained_on.reduce_zero_label) {
    options.zero_label = *trained_on.reduce_zero_label ? ZeroLabel::kReduce : ZeroLabel::kKeep;
  }
  const auto read = [](const DatasetOptions& of) -> std::optional<DatasetInfo> {
    try {
      return read_dataset_info(of);
    } catch (const Error&) {
      return {};  // no such set: what is wrong with it is told by whoever reads it as asked
    }
  };
  const std::optional<DatasetInfo> info = read(options);
  if (!info || info->classes != trained_on.classes) return {asked, {}};
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

}  // namespace tagclip
