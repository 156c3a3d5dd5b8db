#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// Returns HTML with one row per validation photo, as in the paper's Figures 1 and 7: the photo,
// each group's prediction, the ground truth, and the names of the classes in it, framed in black
// for seen and in red for unseen ones. The groups are of one data set; each is shown by the first
// of its runs that has the photo. Empty where there are no photos.
std::string photo_columns(const std::vector<const RunGroup*>& groups);

}  // namespace tagclip
