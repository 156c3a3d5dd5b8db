#pragma once

#include "infer/precision_trials.h"

namespace tagclip {

// The measurements of the precisions of a model's encoder on this kind of processor, whatever the
// words: a JSON file in the cache folder.
class PrecisionCache {
 public:
  // Hashes the encoder's weights, which costs about as much as reading them.
  explicit PrecisionCache(const DenseModel& model);

  // Returns nothing if nothing, or nothing sensible, is kept.
  PrecisionEvidence read() const;
  // Throws Error(kFailure) when the file cannot be written.
  void write(const PrecisionEvidence& evidence) const;

 private:
  std::filesystem::path file() const;

  std::string name_;
};

}  // namespace tagclip
