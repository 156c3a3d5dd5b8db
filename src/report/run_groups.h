#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "metrics/segmentation_metrics.h"
#include "paper/paper_tables.h"
#include "runs/training_run.h"

namespace tagclip {

// Mean and spread of a value over the runs that measured it.
struct Statistic {
  int64_t count = 0;  // runs
  double mean = 0;    // NaN for no run
  double std = 0;     // of the sample (n - 1); NaN for fewer than two runs
};

// Returns the statistic of the values that are not NaN.
Statistic statistic(std::span<const double> values);

// Statistics in the order of kSummaryFields.
using SummaryStatistics = std::array<Statistic, kSummaryFields.size()>;

// Finished runs of one label whose settings differ in nothing but the seed and free_settings().
// An unfinished run is a group of its own: its numbers are of an earlier iteration.
struct RunGroup {
  std::string name;  // label, folder or both, on one line; unique among the groups
  std::vector<const TrainingRun*> runs;     // one per seed, the last to finish of each
  std::vector<const TrainingRun*> repeats;  // the others of these seeds: they measure nothing new
  SummaryStatistics summary;
  // By name, of each of several data sets that the runs are validated on; otherwise empty.
  std::vector<std::pair<std::string, SummaryStatistics>> sets;
  std::vector<Statistic> class_iou;   // per class
  Statistic training_milliseconds;    // per photo, the median of a run's log
  Statistic validation_milliseconds;  // per photo, of the last validation
  const PaperRow* paper = nullptr;    // the paper's row for this label

  const TrainingRun& first() const { return *runs.front(); }
  bool finished() const { return first().finished(); }
  // Returns the statistic of one metric.
  const Statistic& metric(double SegmentationMetrics::* field) const;
};

// Groups the runs, in the order of the first run of each group. The groups refer to `runs`.
std::vector<RunGroup> group_runs(const std::vector<TrainingRun>& runs);

// Returns the settings whose values differ between groups, by name: a text per group, "-" where a
// group lacks the setting.
std::map<std::string, std::vector<std::string>> differing_settings(
    const std::vector<RunGroup>& groups);

// Splits the groups by data set: same class names, the same of them seen. Keeps their order.
std::vector<std::vector<const RunGroup*>> by_data_set(const std::vector<RunGroup>& groups);

// A group of a sweep, and its value of the swept setting.
struct SweepPoint {
  double value;
  const RunGroup* group;
};

// Returns the sweeps over a numeric setting: finished groups of one data set that differ in that
// setting alone and have at least two values of it, sorted by value.
std::vector<std::vector<SweepPoint>> sweeps_over(const std::string& setting,
                                                 const std::vector<RunGroup>& groups);

// True if numbers of this data set are comparable with the paper's: it has the paper's number of
// classes, of unseen classes and of test photos.
bool comparable(const RunData& ours, const PaperData& theirs);

// Returns "msrc21: 21 classes, 5 of them unseen; 352 photos to train, 118 to validate".
std::string describe(const RunData& data);

}  // namespace tagclip
