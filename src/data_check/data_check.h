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

  // True if no finding is an error.
  bool usable() const;
};

// Called with (pairs done, pairs in all); returning false stops the check.
using CheckProgress = std::function<bool(size_t, size_t)>;

// Reads every image and label file of the splits and returns what is wrong with them; nothing when
// it was stopped. `splits` empty: train and val, as far as they exist. Throws as Dataset does when
// the folder, a split or the class list is missing.
std::optional<DataCheck> check_data(const DatasetOptions& options, std::vector<std::string> splits,
                                    const CheckProgress& progress);

// Returns the errors found in at most `files` of a split's files, taken evenly: those that a
// training run would not notice by itself. Throws as check_data.
std::vector<Finding> quick_check(const DatasetOptions& options, const std::string& split,
                                 size_t files);

// Returns a text: the splits, a histogram of the classes, the findings and whether they allow
// training.
std::string format_report(const DataCheck& check);

// Returns the same as a JSON object.
std::string to_json(const DataCheck& check);

}  // namespace tagclip
