#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
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
  // One file of them. Throws Error(kBadInput) when it has changed since it was written.
  static Checkpoint read(const std::filesystem::path& file);

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

// A setting whose value differs from the one that a checkpoint was made with.
struct ChangedSetting {
  std::string name;
  std::string before, now;  // as JSON
};

// The settings in `now` that differ from those that the checkpoint holds under the metadata `key`.
// A setting that an older checkpoint does not have had its value in `defaults`. Throws
// Error(kBadInput) when the checkpoint holds no settings.
std::vector<ChangedSetting> changed_settings(const Checkpoint& checkpoint, const std::string& key,
                                             const ConstFieldList& now,
                                             const ConstFieldList& defaults);

// "optimizer.lr was 0.001, is 0.002; batch was 8, is 16"
std::string describe(const std::vector<ChangedSetting>& changes);

// The error of a run whose settings are not those of the checkpoint in its folder. `hint` replaces
// the usual advice.
Error other_settings(const Checkpoint& checkpoint, const std::vector<ChangedSetting>& changes,
                     std::string hint = {});

// The tensors of a checkpoint of these parameters and their optimizer, by name.
std::map<std::string, at::Tensor> run_state(const std::vector<Parameter>& parameters,
                                            const AdamW& optimizer);
// Restores the parameters alone, and both. Throw Error(kBadInput) naming the first tensor that does
// not fit.
void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters);
void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
             AdamW& optimizer);

// The text in a checkpoint's metadata under `key`; empty where there is none.
const std::string& stored_text(const Checkpoint& checkpoint, const std::string& key);

// Numbers in a checkpoint's metadata. They throw Error(kBadInput) when there is none under `key`.
int64_t stored_count(const Checkpoint& checkpoint, const std::string& key);
double stored_number(const Checkpoint& checkpoint, const std::string& key);

// The shortest text that stored_number reads back exactly.
std::string exact(double value);

}  // namespace tagclip
