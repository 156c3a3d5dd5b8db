#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "infer/sliding_segmenter.h"
#include "metrics/boundary_score.h"
#include "metrics/confusion_matrix.h"
#include "metrics/reliability.h"
#include "ranks/world.h"

namespace tagclip {

// Hears (photos done, photos in all) of this rank; false ends the evaluation early.
using EvaluationProgress = std::function<bool(int64_t, int64_t)>;

// What InferenceOptions::presence did, counted over pairs of a photo and a word. A class of the set
// is in a photo if a pixel is labelled with it; words beside the classes are in none.
struct PresenceCounts {
  double there = 0, there_kept = 0;
  double absent = 0, absent_refused = 0;
};

struct Evaluation {
  explicit Evaluation(int classes) : confusion(classes), boundary(classes) {}

  ConfusionMatrix confusion;
  BoundaryScore boundary;                   // of Measures::boundary
  Reliability reliable_seen, reliable_new;  // the scores of labels of seen and of new words
  PresenceCounts presence;
};

// What is measured beside the confusion matrix; each takes time.
struct Measures {
  bool boundary = false;
  bool reliability = false;
};

// Segments every photo of a set and counts the pixels (spec section 8). The ranks share the photos
// and all get the counts of the whole set. The segmenter's vocabulary must begin with the set's
// classes; pixels with a later one count as missed. `warn` hears of photos that were read but are
// not as they should be.
Evaluation evaluate(
    const SlidingSegmenter& segmenter, const Dataset& data, const World& world,
    const Measures& measures = {},
    const EvaluationProgress& progress = [](int64_t, int64_t) { return true; },
    const std::function<void(const std::string&)>& warn = [](const std::string&) {});

// The classes that mIoU(S) is about; mIoU(U) is about the others.
struct SeenSplit {
  std::vector<bool> seen;  // per class
  std::string source;      // whose notion that is, for the reader
};

// The one rule of evaluations and of validations in training: what the user asked for; else, where
// the model was trained on the set's very classes, the split of its training, or the data set's own
// where the model does not say; else the data set's own for a model that says nothing of its
// classes, and what the model has seen in training, by names, for others. `asked`: the user named
// the unseen classes. `vocabulary`: the set's classes.
SeenSplit seen_split(const Dataset& data, bool asked, const EmbeddedVocabulary& vocabulary,
                     const TrainedOn& trained_on);

// A data set as it is to be read for a model.
struct TrainedReading {
  DatasetOptions options;
  std::string taken;  // what came from the model, in words; empty: nothing
};

// Reads the set as in the model's training, its kind and the meaning of label 0, where the user
// leaves these open and the set then has the very classes of the training.
TrainedReading read_as_trained(const DatasetOptions& asked, const TrainedOn& trained_on);

}  // namespace tagclip
