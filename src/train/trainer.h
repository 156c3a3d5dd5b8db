#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infer/vocabulary.h"
#include "model/checkpoint.h"
#include "ranks/world.h"
#include "train/checkpoints.h"
#include "train/mixed_precision.h"
#include "train/sample_loader.h"
#include "train/step_text.h"
#include "train/train_step.h"

namespace tagclip {

// The data, model and optimizer of a training. One call of advance() is one iteration. Files are
// RunFolder's.
class Trainer {
 public:
  // Reads the list of images and the weights that the config starts from. `config` and `world` must
  // outlive it; `warn` is called with what the user should know, by any thread. Throws as train().
  Trainer(const TrainConfig& config, const World& world,
          std::function<void(const std::string&)> warn);

  int64_t iteration() const { return iteration_; }  // done
  // Puts parameters and optimizer back to what a checkpoint of `iteration` holds.
  void restore(const Checkpoint& checkpoint, int64_t iteration);
  // Starts to read the batches that are left. To be called once, after restore() if at all.
  void start();

  // Runs one iteration. Throws Error(kFailure) when a loss or gradient is not finite, before the
  // parameters change and after writing the batch to the output folder.
  TrainReport advance();

  // The classes of a data set, embedded with the prompt templates of the config.
  EmbeddedVocabulary embed(const std::vector<ClassWords>& classes) const;

  // Gives the model its float32 weights while the result lives. nullptr in float32 training.
  std::unique_ptr<FrozenBf16Weights::Float32Scope> in_float32();

  const LabelSets& data() const { return data_; }
  // The groups of words of config.synonym_list.
  const std::vector<ListedClass>& synonyms() const { return synonyms_; }
  const SegmentationModel& model() const { return model_; }
  const TrainedOn& trained_on() const { return trained_on_; }
  const AdamW& optimizer() const { return step_.optimizer(); }
  // Identifies the parameters that training leaves unchanged; checkpoints do not hold them.
  const std::string& frozen_fingerprint() const { return frozen_fingerprint_; }
  // Identifies the trained model that the run began with; empty where it began with a CLIP.
  const std::string& start_fingerprint() const { return start_fingerprint_; }
  // True if parameters and optimizer are those after iteration(): false when an exception has ended
  // an update half-way.
  bool is_complete() const { return is_complete_; }

 private:
  EmbeddedVocabulary embed_anew(const std::vector<ClassWords>& classes) const;
  [[noreturn]] void give_up(const TrainReport& report, const LabelledBatch& batch) const;

  const TrainConfig& config_;
  const World& world_;
  std::function<void(const std::string&)> warn_;
  std::vector<ListedClass> synonyms_;
  LabelSets data_;
  TrainedOn trained_on_;
  SegmentationModel model_;
  std::string frozen_fingerprint_, start_fingerprint_;
  EmbeddedVocabulary vocabulary_;  // of data_; training leaves the text tower unchanged
  StepText step_text_;
  TrainStep step_;
  std::optional<FrozenBf16Weights> frozen_bf16_;  // in mixed precision
  TrainingSamples samples_;
  std::optional<SampleLoader> loader_;
  std::optional<DevicePrefetcher> prefetcher_;
  int64_t iteration_ = 0;
  bool is_complete_ = true;
};

// The fingerprint of every parameter that training leaves unchanged.
std::string frozen_fingerprint_of(const SegmentationModel& model);
// The fingerprint of the CLIP inside a model, which training leaves as it is.
std::string clip_fingerprint_of(const SegmentationModel& model);

}  // namespace tagclip
