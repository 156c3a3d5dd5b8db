#include "train/evaluate.h"

#include "base/error.h"

namespace tagclip {

ConfusionMatrix evaluate(const SlidingSegmenter& segmenter, const Dataset& data,
                         const EvaluationProgress& progress) {
  TAGCLIP_CHECK(segmenter.vocabulary().classes.size() == data.classes().size(),
                "the vocabulary must be the set's class list");
  ConfusionMatrix confusion(static_cast<int>(data.classes().size()));
  const auto total = static_cast<int64_t>(data.size());
  for (int64_t i = 0; i < total; ++i) {
    const LabelledImage photo = data.read(i);
    confusion.add(photo.labels.labels, segmenter(photo.image).labels.labels);
    if (!progress(i + 1, total)) break;
  }
  return confusion;
}

}  // namespace tagclip
