#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// Returns the comparison as one HTML file that needs no other file and no network: the table with
// the paper's numbers, photos, IoU per class, charts, costs, the settings that differ, and each
// run.
std::string report_page(const std::vector<RunGroup>& groups);

}  // namespace tagclip
