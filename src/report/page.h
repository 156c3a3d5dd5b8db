#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// The comparison as one HTML file that needs no other and no network: the table with the paper's
// numbers, curves, IoU class by class, photos, the settings that differ, and how each run was made.
std::string report_page(const std::vector<RunGroup>& groups);

}  // namespace tagclip
