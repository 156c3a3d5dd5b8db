#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// HTML with the IoU of every class as bars, a bar a group, unseen classes first, as in the paper's
// Figure 6. The groups are of one data set; `all` gives them their colours. Empty where none of
// them has been validated.
std::string class_bars(const std::vector<const RunGroup*>& groups,
                       const std::vector<RunGroup>& all);

}  // namespace tagclip
