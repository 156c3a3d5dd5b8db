#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clip/weights.h"

namespace tagclip {

struct Checkpoint {
  std::filesystem::path path;
  StateDict state;
  Metadata metadata;
  std::vector<std::filesystem::path> damaged;  // newer ones that are of no use
};

// The states a run goes on from: checkpoints/iteration_N.safetensors in its folder, the last few of
// them, each with a checksum over all it holds.
class Checkpoints {
 public:
  Checkpoints(const std::filesystem::path& run, int64_t keep);

  // Whole or not at all, flushed to the disk; older ones go when it is there. Throws
  // Error(kFailure) when it cannot be written: those before it stay.
  void save(int64_t iteration, const std::map<std::string, at::Tensor>& tensors,
            Metadata metadata) const;

  // The last one that is undamaged; none in a new run. `warn` hears of those that are not. Throws
  // Error(kBadInput) when there are some, but none of use.
  std::optional<Checkpoint> newest(const std::function<void(const std::string&)>& warn) const;

  // Renames the damaged ones to *.damaged, and removes what a killed run left half written. Only
  // one process of a run may do it.
  void tidy(const Checkpoint& newest) const;

 private:
  std::map<int64_t, std::filesystem::path> files() const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace tagclip
