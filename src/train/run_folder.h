#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "train/trainer.h"

namespace tagclip {

// The output folder of a training run: what it resumes from, and the weights it leaves. Every rank
// reads; the root rank writes.
class RunFolder {
 public:
  using Say = std::function<void(const std::string&)>;

  // Finds the newest checkpoint of an earlier session. `config` and `world` must outlive it. `warn`
  // hears of damaged ones, `note` of settings that were changed and may be. Throws Error(kBadInput)
  // when it belongs to a run with other settings.
  RunFolder(const TrainConfig& config, const World& world, const Say& warn, Say note);

  bool is_new() const { return !checkpoint_; }  // no earlier session left a checkpoint
  // Restores the trainer from the checkpoint, if there is one. `validation` identifies what scores
  // are measured on and how. Throws Error(kBadInput) when the run began from other weights or on
  // other data, naming the difference, or when the ranks see different folders.
  void resume(Trainer& trainer, const std::string& validation);
  // Creates the folder with config.toml.
  void create() const;

  // The iteration of the last validation, 0 for none.
  int64_t validated() const { return validated_; }
  // Notes a validation's score; true when it is the best so far.
  bool improves(int64_t iteration, double score);

  // Writes what the run resumes from.
  void save_state(const Trainer& trainer);
  // The iteration of the last state that was written, or could not be.
  int64_t saved() const { return saved_; }
  // Writes the whole model as NAME.safetensors.
  void save_model(const std::string& name, Trainer& trainer) const;
  std::filesystem::path model_path(const std::string& name) const;

 private:
  void check_changes(const std::vector<ChangedSetting>& changes);
  void check_identity(const Trainer& trainer) const;
  void restore(Trainer& trainer, const std::string& validation);
  void keep_shorter_run() const;
  void check_agreement(const Trainer& trainer) const;

  const TrainConfig& config_;
  const World& world_;
  std::filesystem::path folder_;
  Checkpoints checkpoints_;
  Say note_;
  std::optional<Checkpoint> checkpoint_;  // until resume()
  std::string shorter_;                   // iterations that the run had before it was extended
  std::string validation_;                // see resume()
  int64_t validated_ = 0, saved_ = -1;
  double best_ = -1;
};

// Returns true if a file is a state that a run saved (checkpoints/iteration_N.safetensors): what it
// has trained so far, without the CLIP that it leaves unchanged.
bool is_saved_state(const std::filesystem::path& file);

// The whole model of a saved state, with the CLIP or trained model that the run began with, on the
// CPU. Other processes may go on writing the run. Throws Error(kBadInput) when the state is
// damaged, or that file is not where it was or not what it was.
LoadedModel load_saved_state(const std::filesystem::path& file, const RunFolder::Say& warn);

}  // namespace tagclip
