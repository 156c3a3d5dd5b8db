#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// HTML tables of a report. The results: the groups with the paper's rows and the notes.
std::string results_table(const std::vector<RunGroup>& groups);
// What the groups were asked for differently; empty when nothing.
std::string settings_table(const std::vector<RunGroup>& groups);
// Each run: where it is, how long it took, with which versions.
std::string runs_table(const std::vector<RunGroup>& groups);

}  // namespace tagclip
