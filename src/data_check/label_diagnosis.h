#pragma once

#include <optional>

#include "data/dataset_info.h"
#include "data_check/finding.h"
#include "data_check/image_label_stats.h"

namespace tagclip {

// Recognises common mistakes by the values of label files. The files of one kind (`kind`: index
// into the LabelFiles of the data set's kind) are judged together. Returns the mistake that
// explains the values best, "labels-out-of-range" where none does, nothing when the values are as
// expected.
std::optional<Finding> diagnose_labels(const DatasetInfo& info, size_t kind,
                                       const LabelHistogram& histogram);

}  // namespace tagclip
