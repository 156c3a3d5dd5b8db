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

// Several data sets that are to be trained on together.
struct JoinedCheck {
  std::vector<DataCheck> sets;
  std::vector<std::string> names;  // of the sets, short
  std::vector<Finding> findings;   // that are about several of them

  bool usable() const;
};

// Called with (pairs done, pairs in all); returning false stops the check.
using CheckProgress = std::function<bool(size_t, size_t)>;

// Reads every image and label file of the splits and returns what is wrong with them; nothing when
// it was stopped. `splits` empty: train and val, as far as they exist. Throws as Dataset does when
// the folder, a split or the class list is missing.
std::optional<DataCheck> check_data(const DatasetOptions& options, std::vector<std::string> splits,
                                    const CheckProgress& progress);

// Checks each set, and what they have in common: classes that one hides and another labels, photos
// that one trains on and another measures on. `splits` begins with the one that is trained on;
// empty: train and val. Nothing when it was stopped. Throws as check_data, and Error(kBadInput)
// where words make one class of two of a set.
std::optional<JoinedCheck> check_joined_data(const std::vector<DatasetOptions>& sets,
                                             const std::vector<std::string>& splits,
                                             const CheckProgress& progress);

// Returns the errors found in at most `files` of a split's files, taken evenly: those that a
// training run would not notice by itself. Throws as check_data.
std::vector<Finding> quick_check(const DatasetOptions& options, const std::string& split,
                                 size_t files);

// Returns a text: the splits, a histogram of the classes, the findings and whether they allow
// training.
std::string format_report(const DataCheck& check);

std::string format_report(const JoinedCheck& check);

// Returns the same as a JSON object; of several sets each in "sets".
std::string to_json(const DataCheck& check);
std::string to_json(const JoinedCheck& check);

}  // namespace tagclip
