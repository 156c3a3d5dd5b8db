#pragma once

#include <cstdint>
#include <string>

#include "infer/sliding_segmenter.h"
#include "ranks/ranks.h"

namespace tagclip {

// Seconds of a photo, or of many together.
struct PhotoTimes {
  double read = 0, write = 0;
  StageTimes compute;

  double total() const;
  PhotoTimes& operator+=(const PhotoTimes& other);
};

// What has become of photos.
struct SegmentTally {
  int64_t done = 0, failed = 0;
  PhotoTimes times;  // of those done

  int64_t tried() const { return done + failed; }
};

// Of all ranks together.
SegmentTally add_up(const SegmentTally& own, const Ranks& ranks);

// "ms a photo: read 3.1, resize ...": the means of the photos done, of which there must be one.
std::string describe_times(const SegmentTally& tally);

// "12.3"
std::string milliseconds(double seconds);

}  // namespace tagclip
