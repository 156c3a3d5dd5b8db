#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset_info.h"
#include "data_check/finding.h"
#include "data_check/split_findings.h"

namespace tagclip {

struct DataCheck {
  DatasetInfo info;
  std::vector<CheckedSplit> splits;
  std::vector<Finding> findings;  // errors first

  // Whether training on it would go well: no finding is an error.
  bool usable() const;
};

// Hears (pairs done, pairs in all); false stops.
using CheckProgress = std::function<bool(size_t, size_t)>;

// Reads every photo and label file of the splits and names what is wrong with them; nothing when it
// was stopped. Without splits: train and val, as far as they exist. Throws as Dataset does where
// there is nothing to check: no such folder, split or class list.
std::optional<DataCheck> check_data(const DatasetOptions& options, std::vector<std::string> splits,
                                    const CheckProgress& progress);

// The errors that the labels of some of a split's files give away, at most `files` of them, evenly
// taken: what a training run would not notice by itself. Throws as check_data.
std::vector<Finding> quick_check(const DatasetOptions& options, const std::string& split,
                                 size_t files);

// For people: what there is, a histogram of the classes, the findings and the verdict.
std::string format_report(const DataCheck& check);

// For programs: the same, as a JSON object.
std::string to_json(const DataCheck& check);

}  // namespace tagclip
