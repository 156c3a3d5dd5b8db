#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/parameters.h"
#include "clip/weights.h"
#include "train/optimizer.h"

namespace tagclip {

struct Checkpoint {
  std::filesystem::path path;
  StateDict state;
  Metadata metadata;
  std::vector<std::filesystem::path> damaged;  // newer checkpoints that cannot be used
};

// The states that a run resumes from: checkpoints/iteration_N.safetensors in its folder, the last
// few of them, each with a checksum of all its content.
class Checkpoints {
 public:
  Checkpoints(const std::filesystem::path& run, int64_t keep);

  // Writes one atomically, flushed to the disk, then removes the oldest. Throws Error(kFailure)
  // when it cannot be written; the earlier ones stay.
  void save(int64_t iteration, const std::map<std::string, at::Tensor>& tensors,
            Metadata metadata) const;

  // The newest undamaged one; nullopt in a new run. `warn` is called for each damaged one. Throws
  // Error(kBadInput) when all of them are damaged.
  std::optional<Checkpoint> newest(const std::function<void(const std::string&)>& warn) const;

  // Renames the damaged ones to *.damaged, and removes partial files of a killed run. Only one
  // process of a run may call it.
  void tidy(const Checkpoint& newest) const;

 private:
  std::map<int64_t, std::filesystem::path> files() const;

  std::filesystem::path folder_;
  int64_t keep_;
};

// The settings without the free ones, which say how a run is watched and stored, not what it
// computes.
ConstFieldList binding(const ConstFieldList& settings, const std::set<std::string>& free);

// The settings of a run, which its checkpoints hold under the metadata `key`.
struct StoredSettings {
  std::string key;
  ConstFieldList now;
  ConstFieldList defaults;  // of settings that an older checkpoint does not have
};

// Throws Error(kBadInput) listing the settings that differ from the checkpoint's, if any.
void check_settings(const Checkpoint& checkpoint, const StoredSettings& settings);

// The tensors of a checkpoint of these parameters and their optimizer, by name.
std::map<std::string, at::Tensor> run_state(const std::vector<Parameter>& parameters,
                                            const AdamW& optimizer);
// Restores both. Throws Error(kBadInput) naming the first tensor that does not fit.
void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
             AdamW& optimizer);

// Numbers in a checkpoint's metadata. They throw Error(kBadInput) when there is none under `key`.
int64_t stored_count(const Checkpoint& checkpoint, const std::string& key);
double stored_number(const Checkpoint& checkpoint, const std::string& key);

// The shortest text that stored_number reads back exactly.
std::string exact(double value);

}  // namespace tagclip
