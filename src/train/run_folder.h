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
  // Finds the newest checkpoint of an earlier session. `config` and `world` must outlive it. Throws
  // Error(kBadInput) when it belongs to a run with other settings.
  RunFolder(const TrainConfig& config, const World& world,
            const std::function<void(const std::string&)>& warn);

  bool is_new() const { return !checkpoint_; }  // no earlier session left a checkpoint
  // Restores the trainer from the checkpoint, if there is one. Throws Error(kBadInput) when it
  // began from other weights, or when the ranks see different folders.
  void resume(Trainer& trainer);
  // Creates the folder with config.toml.
  void create() const;

  // The iteration of the last validation, 0 for none.
  int64_t validated() const { return validated_; }
  // Notes a validation's score; true when it is the best so far.
  bool improves(int64_t iteration, double score);

  // Writes what the run resumes from.
  void save_state(const Trainer& trainer) const;
  // Writes the whole model as NAME.safetensors.
  void save_model(const std::string& name, Trainer& trainer) const;
  std::filesystem::path model_path(const std::string& name) const;

 private:
  Metadata progress(const Trainer& trainer) const;
  void check_agreement(const Trainer& trainer) const;

  const TrainConfig& config_;
  const World& world_;
  std::filesystem::path folder_;
  Checkpoints checkpoints_;
  std::optional<Checkpoint> checkpoint_;  // until resume()
  int64_t validated_ = 0;
  double best_ = -1;
};

}  // namespace tagclip
