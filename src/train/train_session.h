#pragma once

#include <filesystem>
#include <optional>

#include "infer/sliding_segmenter.h"
#include "model/checkpoint.h"
#include "runs/run_record.h"
#include "train/checkpoints.h"
#include "train/device_stage.h"
#include "train/lowered_weights.h"
#include "train/run_state.h"
#include "train/sample_loader.h"
#include "train/trainer.h"
#include "train/validation.h"

namespace tagclip {

// All that a training run holds between its first and its last step: data, model, optimizer.
class TrainSession {
 public:
  // Goes on where the output folder says. All arguments must outlive the run.
  TrainSession(const TrainConfig& config, const Ranks& ranks, const TrainHooks& hooks);

  int64_t iteration() const { return iteration_; }  // done
  int64_t validated() const { return validated_; }  // the iteration of the last validation

  TrainReport advance();
  bool validation_is_due() const;
  // Also saves the model when it is the best so far. Nothing when the user stopped it.
  std::optional<Validation> validate();
  // What a report should know of the run.
  RunRecord record() const;

  void save_state();
  // The finished model.
  void save_model();
  std::filesystem::path model_path() const { return folder_ / "model.safetensors"; }

 private:
  EmbeddedVocabulary embed(const std::vector<std::string>& names) const;
  void open_validation();
  void check_labels() const;
  RunData run_data() const;
  std::optional<Validation> measure();
  std::vector<Prediction> predict_examples(const SlidingSegmenter& segmenter) const;
  void write_model(const std::filesystem::path& path);
  Metadata progress();
  void resume();
  void check_agreement() const;
  void start_loader();
  [[noreturn]] void give_up(const TrainReport& report, const LabelledBatch& batch);

  const TrainConfig& config_;
  const Ranks& ranks_;
  const TrainHooks& hooks_;
  std::filesystem::path folder_;
  at::Device device_;
  Dataset data_;
  std::optional<Dataset> validation_;
  TrainedOn trained_on_;
  SegmentationModel model_;
  std::string frozen_;  // fingerprint of what training leaves as it is
  // All classes of the data, and of the validation; made once: training leaves the text tower as it
  // is.
  EmbeddedVocabulary vocabulary_, validation_vocabulary_;
  std::vector<bool> judged_seen_;  // classes of the validation that mIoU(S) is about
  TrainStep step_;
  std::optional<LoweredWeights> lowered_;  // in mixed precision
  Checkpoints checkpoints_;
  SampleSource source_;
  std::optional<SampleLoader> loader_;
  std::optional<DeviceStage> stage_;
  int64_t iteration_ = 0, validated_ = 0;
  double best_ = -1;
};

}  // namespace tagclip
