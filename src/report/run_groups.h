#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "metrics/segmentation_metrics.h"
#include "paper/paper_tables.h"
#include "runs/training_run.h"

namespace tagclip {

// Over the runs that measured the value.
struct Statistic {
  int64_t runs = 0;
  double mean = 0;       // NaN for no run
  double deviation = 0;  // of the sample, by n - 1; NaN for fewer than two runs
};

// Of the values that are not NaN.
Statistic statistic(std::span<const double> values);

// Runs of one label and the same settings but for the seed and what only says where a run is kept
// and watched. A run that has not finished stands alone: its numbers are of an earlier iteration.
struct RunGroup {
  std::string name;  // the label, the folder, or both: one line, no two groups' the same
  std::vector<const TrainingRun*> runs;
  std::array<Statistic, kSummaryFields.size()> summary;  // by kSummaryFields
  std::vector<Statistic> class_iou;                      // per class
  const PaperRow* paper = nullptr;                       // what the paper says of this label

  const TrainingRun& first() const { return *runs.front(); }
  bool finished() const { return first().finished(); }
};

// Groups in the order of their first runs. They refer to `runs`.
std::vector<RunGroup> group_runs(const std::vector<TrainingRun>& runs);

// Settings whose values differ between groups, as text per group ("-" where one lacks it), by name.
std::map<std::string, std::vector<std::string>> differing_settings(
    const std::vector<RunGroup>& groups);

// Groups of one data set: the same classes, the same of them seen. In the order of their first
// groups.
std::vector<std::vector<const RunGroup*>> by_data_set(const std::vector<RunGroup>& groups);

// Whether numbers of this data set may be held against the paper's: it has as many classes, unseen
// ones among them and test photos as the paper says.
bool comparable(const RunData& ours, const PaperData& theirs);

// "msrc21: 21 classes, 5 of them unseen; 352 photos to train, 118 to validate"
std::string describe(const RunData& data);

}  // namespace tagclip
