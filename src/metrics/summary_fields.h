#pragma once

#include <array>

#include "metrics/segmentation_metrics.h"

namespace tagclip {

// A number that stands for a whole evaluation: its name in tables and logs, in JSON, where it
// lives.
struct SummaryField {
  const char* name;
  const char* json_name;
  double SegmentationMetrics::* value;
};

inline constexpr std::array<SummaryField, 8> kSummaryFields = {{
    {"pAcc", "pixel_accuracy", &SegmentationMetrics::pixel_accuracy},
    {"mIoU", "mean_iou", &SegmentationMetrics::mean_iou},
    {"mIoU(S)", "mean_iou_seen", &SegmentationMetrics::mean_iou_seen},
    {"mIoU(U)", "mean_iou_unseen", &SegmentationMetrics::mean_iou_unseen},
    {"hIoU", "harmonic_iou", &SegmentationMetrics::harmonic_iou},
    {"mAcc", "mean_accuracy", &SegmentationMetrics::mean_accuracy},
    {"mAcc(S)", "mean_accuracy_seen", &SegmentationMetrics::mean_accuracy_seen},
    {"mAcc(U)", "mean_accuracy_unseen", &SegmentationMetrics::mean_accuracy_unseen},
}};

}  // namespace tagclip
