#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// HTML with a chart for every quantity the runs have logged: losses, learning rate and pace first,
// then the validations; a line a run, in its group's colour. Lines of many points are drawn by the
// means of neighbouring ones. Empty when nothing was logged.
std::string curve_charts(const std::vector<RunGroup>& groups);

}  // namespace tagclip
