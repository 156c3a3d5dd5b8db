#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// How many of kSummaryFields a table shows.
inline constexpr size_t kTableColumns = 6;

// "12.34 ± 0.56", "12.34" for one run, "-" for none; percent.
std::string format_statistic(const Statistic& statistic);
// "93.5", as the paper prints it; "-" for NaN.
std::string format_paper_value(double share);

// What stands behind a group's name: "", or ", unfinished: 300 of 1000 iterations".
std::string state_of(const RunGroup& group);

// What the table does not say: the data sets, where the paper's numbers cannot be compared, which
// deviation stands behind the ±.
std::vector<std::string> table_notes(const std::vector<RunGroup>& groups);

// The groups, mean ± deviation over their runs, each with the paper's row below it, then the notes.
std::string format_run_table(const std::vector<RunGroup>& groups);

// The same with every run and class as a JSON object: shares, null for what was not measured.
std::string to_json(const std::vector<RunGroup>& groups);

}  // namespace tagclip
