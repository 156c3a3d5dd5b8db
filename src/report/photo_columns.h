#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// HTML with a row a validation photo: the photo, what each group makes of it, the truth, and the
// names of the classes in it with the seen and the unseen ones told apart, as in the paper's
// Figures 1 and 7. The groups are of one data set; each is shown by the first of its runs that has
// the photo. Empty where there are no photos.
std::string photo_columns(const std::vector<const RunGroup*>& groups);

}  // namespace tagclip
