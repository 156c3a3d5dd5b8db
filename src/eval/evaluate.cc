#include "eval/evaluate.h"

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

ConfusionMatrix evaluate(const SlidingSegmenter& segmenter, const Dataset& data, const Ranks& ranks,
                         const EvaluationProgress& progress) {
  TAGCLIP_CHECK(segmenter.vocabulary().classes.size() == data.classes().size(),
                "the vocabulary must be the set's class list");
  ConfusionMatrix confusion(static_cast<int>(data.classes().size()));
  const auto photos = static_cast<int64_t>(data.size());
  const int64_t ours = (photos - ranks.rank() + ranks.size() - 1) / ranks.size();
  const auto at_once = static_cast<int64_t>(segmenter.encoder().photos_at_once());
  bool go_on = true;
  for (int64_t begin = 0; go_on && begin < ours; begin += at_once) {
    std::vector<Image> images;
    std::vector<LabelMap> truths;
    for (int64_t i = begin; i < std::min(begin + at_once, ours); ++i) {
      LabelledImage photo = data.read(ranks.rank() + i * ranks.size());
      images.push_back(std::move(photo.image));
      truths.push_back(std::move(photo.labels));
    }
    StageTimes unused;
    const std::vector<EncodedPhoto> encoded = segmenter.encoder()(images, unused);
    for (size_t i = 0; go_on && i < encoded.size(); ++i) {
      confusion.add(truths[i].labels, segmenter(encoded[i]).labels.labels);
      go_on = progress(begin + static_cast<int64_t>(i) + 1, ours);
    }
  }
  add_up(confusion, ranks);
  return confusion;
}

}  // namespace tagclip
