#pragma once

#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "infer/sliding_segmenter.h"

// This is our side of comparisons that a Python script makes: benchmarks/loader.py, contenders.py.
namespace tagclip::bench {

// One core makes training samples this fast, from files to batches.
struct LoaderSpeed {
  int64_t samples = 0;
  double seconds = 0;         // the core's own, whatever else it is given to do
  std::vector<Stage> stages;  // seconds per sample, of a second, shorter pass

  double samples_per_second() const { return static_cast<double>(samples) / seconds; }
};

// Makes batches of 16 with the paper's augmentation in one thread until they hold at least
// `samples`, after one batch to warm up. Throws Error(kBadInput) as reading the data set does.
LoaderSpeed measure_loader(const std::string& folder, const std::string& split, int64_t samples);

struct TimedRun {
  double seconds = 0;
  StageTimes stages;
};

// Segments `photo` once per line of `requests`, after one time to warm up, and tells how long each
// took: the script interleaves our runs with those of other programs.
void segment_on_request(const SlidingSegmenter& segmenter, const Image& photo,
                        std::istream& requests, const std::function<void(const TimedRun&)>& answer);

}  // namespace tagclip::bench
