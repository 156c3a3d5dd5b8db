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

// A choice that the measurements in the cache folder come to.
struct KeptPrecision {
  std::string model;  // digits of the encoder's weights
  PrecisionTrial chosen;
  int64_t photos = 0;  // that were measured
};

// Returns those of all models. Empty where there is no cache folder.
std::vector<KeptPrecision> kept_precisions();

}  // namespace tagclip
