#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"
#include "metrics/segmentation_metrics.h"

namespace tagclip {

// A validation photo, what the model makes of it, and what it should have made.
struct Prediction {
  std::string name;
  Image photo;
  LabelMap labels, truth;
};

struct Validation {
  SegmentationMetrics metrics;
  std::vector<Prediction> examples;  // the first photos, on the first rank
};

}  // namespace tagclip
