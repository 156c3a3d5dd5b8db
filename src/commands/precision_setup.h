#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/console.h"
#include "infer/sliding_segmenter.h"
#include "ranks/ranks.h"

namespace tagclip {

// With which words and windows photos are segmented.
struct SegmentingSetup {
  const EmbeddedVocabulary& vocabulary;
  SlidingOptions sliding;
};

// Photos at hand: `read`(i) may throw Error(kBadInput).
struct PhotoSource {
  int64_t count = 0;
  std::function<Image(int64_t)> read;
};

// The model as it encodes in the precision of that name. "auto" tries them on a few of the photos,
// in each run until six have been compared, and keeps what it found in the cache folder, by weights
// and processor; the first rank decides for all. On a GPU the model stays as it is. Throws
// Error(kUsage) for a precision that does not run on the model's device.
std::shared_ptr<const DenseModel> in_precision(const std::string& name,
                                               std::shared_ptr<const DenseModel> model,
                                               const SegmentingSetup& setup,
                                               const PhotoSource& photos, const Ranks& ranks,
                                               Console& console);

}  // namespace tagclip
