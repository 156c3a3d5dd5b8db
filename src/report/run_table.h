#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// A table shows this many of kSummaryFields.
inline constexpr size_t kTableColumns = 6;

// Holds a table as rows of cells; the first row is the head.
using TableCells = std::vector<std::vector<std::string>>;

// Returns "12.34 ± 0.56", "12.34" for one run, "-" for none; percent.
std::string format_statistic(const Statistic& statistic);

// Returns the text behind a group's name: "", or ", unfinished: 300 of 1000 iterations".
std::string state_of(const RunGroup& group);

// Returns what each group costs: parameters, and milliseconds per photo in training and validation.
// The paper says that the trusty token adds "almost no extra overhead"; this shows it.
TableCells cost_cells(const std::vector<RunGroup>& groups);

// Returns the notes below a table: the data sets, where the paper's numbers are not comparable, and
// what stands behind the ±.
std::vector<std::string> table_notes(const std::vector<RunGroup>& groups);

// Returns the groups with mean ± standard deviation over their runs, each with the paper's row
// below it, then the notes and the costs.
std::string format_run_table(const std::vector<RunGroup>& groups);

// Returns the same as a JSON object with every run and class: fractions, null for what was not
// measured.
std::string to_json(const std::vector<RunGroup>& groups);

}  // namespace tagclip
