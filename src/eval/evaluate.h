#pragma once

#include <functional>

#include "data/dataset.h"
#include "infer/sliding_segmenter.h"
#include "metrics/confusion_matrix.h"
#include "ranks/ranks.h"

namespace tagclip {

// Hears (photos done, photos in all) of this rank; false ends the evaluation early.
using EvaluationProgress = std::function<bool(int64_t, int64_t)>;

// Segments every photo of a set and counts the pixels (spec section 8). The ranks share the photos
// and all get the counts of the whole set. The segmenter's vocabulary must be the set's class list.
ConfusionMatrix evaluate(
    const SlidingSegmenter& segmenter, const Dataset& data, const Ranks& ranks,
    const EvaluationProgress& progress = [](int64_t, int64_t) { return true; });

}  // namespace tagclip
