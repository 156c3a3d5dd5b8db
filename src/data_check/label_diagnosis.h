#pragma once

#include <optional>

#include "data/dataset_info.h"
#include "data_check/finding.h"
#include "data_check/image_label_stats.h"

namespace tagclip {

// The usual mistakes that the values of label files give away. `sort` is one of the kind's
// LabelFiles; the files of a sort are judged together. Returns what explains the values best: a
// mistake by its name, else "labels out of range", nothing when they are as they should be.
std::optional<Finding> diagnose_labels(const DatasetInfo& info, size_t sort,
                                       const LabelHistogram& census);

}  // namespace tagclip
