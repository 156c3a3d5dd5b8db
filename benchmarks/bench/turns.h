#pragma once

#include <functional>
#include <istream>

#include "infer/sliding_segmenter.h"

namespace tagclip::bench {

struct Turn {
  double seconds = 0;
  StageTimes stages;
};

// Segments `photo` once for every line of `turns`, after one time to warm up, and tells how long
// each took: somebody else decides when it is our turn (benchmarks/contenders.py).
void segment_by_turns(const SlidingSegmenter& segmenter, const Image& photo, std::istream& turns,
                      const std::function<void(const Turn&)>& answer);

// A line of JSON: milliseconds, in all and by stage.
std::string to_json(const Turn& turn);

}  // namespace tagclip::bench
