#pragma once

#include <array>
#include <string>
#include <vector>

#include "metrics/confusion_matrix.h"

namespace tagclip {

// Holds the metrics of an evaluation (Section 4 of the paper), all in [0, 1]; NaN where there is
// nothing to measure (0/0). A class that no pixel of the split is labelled with counts as IoU 0
// where the model predicts it anywhere, and is left out of the means of IoU where it does not; in
// those of accuracy it never counts.
struct SegmentationMetrics {
  double pixel_accuracy;                            // pAcc
  std::vector<double> iou;                          // per class
  std::vector<double> accuracy;                     // per class
  double mean_iou, mean_iou_seen, mean_iou_unseen;  // means over the classes that are not NaN
  double harmonic_iou;                              // Eq. 13: 2SU / (S + U), 0 for S = U = 0
  double mean_accuracy, mean_accuracy_seen, mean_accuracy_unseen;
};

// The metrics of one of several data sets.
struct SetMetrics {
  std::string name;
  SegmentationMetrics metrics;
};

// Computes the metrics; `seen[c]` tells whether class c was trained on.
SegmentationMetrics summarise(const ConfusionMatrix& confusion, const std::vector<bool>& seen);

// The metrics of several data sets together: their classes one after the other, and of every other
// value the mean over the data sets where it is not NaN.
SegmentationMetrics together(const std::vector<SetMetrics>& sets);

// Returns a table in percent with two decimals: name, seen or unseen, IoU and accuracy per class,
// then a summary line; "-" for NaN. Names are UTF-8.
std::string format_table(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                         const std::vector<bool>& seen);

// Returns the same as a JSON object of fractions; null for NaN.
std::string to_json(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                    const std::vector<bool>& seen);

// Names a metric of a whole evaluation in tables and logs, in JSON, and as a member.
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
