#include "data_check/data_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/parallel_for.h"
#include "data_check/label_census.h"
#include "data_check/label_mistakes.h"

namespace tagclip {
namespace {

std::vector<std::string> usual_splits(const DatasetInfo& info) {
  std::vector<std::string> splits;
  const auto there = splits_of(info);
  for (const char* name : {"train", "val"}) {
    if (std::ranges::find(there, name) != there.end()) splits.emplace_back(name);
  }
  if (!splits.empty()) return splits;
  throw bad_input(
      fmt::format("the data set {} has neither a split train nor val", info.folder.string()),
      there.empty() ? "" : fmt::format("name those to check: --splits {}", there[0]));
}

// False when it was stopped.
bool inspect_all(const DatasetInfo& info, std::vector<CheckedSplit>& splits,
                 const CheckProgress& progress) {
  struct Place {
    CheckedSplit* split;
    size_t index;
  };
  std::vector<Place> places;
  for (CheckedSplit& split : splits) {
    split.facts.resize(split.files.pairs.size());
    for (size_t i = 0; i < split.facts.size(); ++i) places.push_back({&split, i});
  }
  bool stopped = false;
  parallel_for(
      places.size(),
      [&](size_t i) {
        const auto& [split, index] = places[i];
        split->facts[index] = inspect(info.folder, split->files.pairs[index]);
      },
      [&](size_t done) {
        stopped = stopped || !progress(done, places.size());
        return !stopped;
      });
  return !stopped;
}

void find_label_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings) {
  for (size_t sort = 0; sort < info.kind->labels.size(); ++sort) {
    ValueCensus census;
    for (const CheckedSplit& split : splits) {
      add_values(census, split.files.pairs, split.facts, sort);
    }
    if (auto mistake = find_label_mistake(info, sort, census)) {
      findings.push_back(std::move(*mistake));
    }
  }
}

}  // namespace

bool DataCheck::usable() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

std::vector<Finding> quick_check(const DatasetOptions& options, const std::string& split,
                                 size_t files) {
  const DatasetInfo info = read_dataset_info(options);
  std::vector<CheckedSplit> some = {{split, list_split(info, split)}};
  auto& pairs = some[0].files.pairs;
  if (pairs.size() > files) {
    std::vector<LabelledFile> chosen;
    for (size_t i = 0; i < files; ++i) chosen.push_back(pairs[i * pairs.size() / files]);
    pairs = std::move(chosen);
  }
  inspect_all(info, some, [](size_t, size_t) { return true; });
  std::vector<Finding> findings;
  find_label_mistakes(info, some, findings);
  find_class_mistakes(info, some, findings);
  std::erase_if(findings, [](const Finding& f) { return f.severity != Severity::kError; });
  return findings;
}

std::optional<DataCheck> check_data(const DatasetOptions& options, std::vector<std::string> splits,
                                    const CheckProgress& progress) {
  DataCheck check{read_dataset_info(options)};
  if (splits.empty()) splits = usual_splits(check.info);
  for (const std::string& name : splits) {
    check.splits.push_back({name, list_split(check.info, name)});
  }
  if (!inspect_all(check.info, check.splits, progress)) return {};
  for (const CheckedSplit& split : check.splits) find_file_mistakes(split, check.findings);
  find_label_mistakes(check.info, check.splits, check.findings);
  find_class_mistakes(check.info, check.splits, check.findings);
  find_copies(check.splits, check.findings);
  std::ranges::stable_sort(check.findings, {}, &Finding::severity);
  return check;
}

}  // namespace tagclip
