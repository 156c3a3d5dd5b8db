#include "train/evaluate.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

void add_up(ConfusionMatrix& confusion, const Ranks& ranks) {
  const std::span<int64_t> counts = confusion.counts();
  at::Tensor all = at::from_blob(counts.data(), {static_cast<int64_t>(counts.size())}, at::kLong);
  ranks.sum(all);
}

}  // namespace

ConfusionMatrix evaluate(const SlidingSegmenter& segmenter, const Dataset& data,
                         const Ranks& ranks, const EvaluationProgress& progress) {
  TAGCLIP_CHECK(segmenter.vocabulary().classes.size() == data.classes().size(),
                "the vocabulary must be the set's class list");
  ConfusionMatrix confusion(static_cast<int>(data.classes().size()));
  const auto photos = static_cast<int64_t>(data.size());
  const int64_t ours = (photos - ranks.rank() + ranks.size() - 1) / ranks.size();
  for (int64_t i = 0; i < ours; ++i) {
    const LabelledImage photo = data.read(ranks.rank() + i * ranks.size());
    confusion.add(photo.labels.labels, segmenter(photo.image).labels.labels);
    if (!progress(i + 1, ours)) break;
  }
  add_up(confusion, ranks);
  return confusion;
}

}  // namespace tagclip
