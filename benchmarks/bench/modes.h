#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "clip/clip.h"
#include "kernels/linear/precision.h"

namespace tagclip::bench {

// A way to segment with a CLIP as it is, beside the mode sclip, on one photo of several windows.
struct ModeSpeed {
  std::string name;  // of the mode, with what is done beside: "scclip, refine pamr"
  AbRuns runs;       // the mode, and sclip in the place of the reference
  std::vector<Stage> stages;
};

// ViT-B/16 with random weights.
Clip random_clip();

// Measures every mode, the best one with its windows joined, and with each refinement, `pairs` of
// runs each. The photo has 640 x 480 pixels, the vocabulary 20 words; all are random. `done` hears
// of each; false ends it.
void measure_modes(const Clip& clip, GemmPrecision precision, int64_t pairs,
                   const std::function<bool(const ModeSpeed&)>& done);

}  // namespace tagclip::bench
