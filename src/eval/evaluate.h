#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "infer/sliding_segmenter.h"
#include "metrics/confusion_matrix.h"
#include "ranks/world.h"

namespace tagclip {

// Hears (photos done, photos in all) of this rank; false ends the evaluation early.
using EvaluationProgress = std::function<bool(int64_t, int64_t)>;

// Segments every photo of a set and counts the pixels (spec section 8). The ranks share the photos
// and all get the counts of the whole set. The segmenter's vocabulary must be the set's class list.
ConfusionMatrix evaluate(
    const SlidingSegmenter& segmenter, const Dataset& data, const World& world,
    const EvaluationProgress& progress = [](int64_t, int64_t) { return true; });

// The classes that mIoU(S) is about; mIoU(U) is about the others.
struct SeenSplit {
  std::vector<bool> seen;  // per class
  std::string source;      // whose notion that is, for the reader
};

// The one rule of evaluations and of validations in training: what the user asked for; else the
// data set's own split, where it has one and the model was trained on the set's very classes, or
// does not say on which; else what the model has seen in training, by names. `asked`: the user
// named the unseen classes. `vocabulary`: the set's classes.
SeenSplit seen_split(const Dataset& data, bool asked, const EmbeddedVocabulary& vocabulary,
                     const TrainedOn& trained_on);

}  // namespace tagclip
