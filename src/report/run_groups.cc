#include "report/run_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string_view>

#include "base/text.h"

namespace tagclip {
namespace {

// What says how a run is kept and watched, not what it computes.
Settings decisive(const Settings& settings) {
  Settings result = settings;
  std::erase_if(result, [](const auto& setting) {
    return setting.first == "seed" || free_settings().contains(setting.first);
  });
  return result;
}

bool same_data(const RunData& a, const RunData& b) {
  return a.classes == b.classes && a.seen == b.seen;
}

bool belong_together(const TrainingRun& a, const TrainingRun& b) {
  return a.finished() && b.finished() && a.record.label == b.record.label &&
         same_data(a.record.data, b.record.data) && decisive(a.settings) == decisive(b.settings);
}

template <class Value>
Statistic over_runs(const RunGroup& group, Value value) {
  std::vector<double> values;
  for (const TrainingRun* run : group.runs) {
    if (run->metrics) values.push_back(value(run->metrics->metrics));
  }
  return statistic(values);
}

void fill_in(RunGroup& group) {
  const RunRecord& record = group.first().record;
  group.paper = paper_row(record.label);
  for (size_t i = 0; i < kSummaryFields.size(); ++i) {
    group.summary[i] = over_runs(group, [&](const auto& m) { return m.*kSummaryFields[i].value; });
  }
  for (size_t c = 0; c < record.data.classes.size(); ++c) {
    group.class_iou.push_back(over_runs(group, [&](const auto& m) { return m.iou[c]; }));
  }
}

constexpr size_t kMaxName = 80;  // bytes

// The label, with the folder behind it where that alone tells groups apart.
std::string own_name(const RunGroup& group, int finished_of_label) {
  const std::string label = one_line(group.first().record.label, kMaxName);
  std::string folder = one_line(group.first().folder.filename().string(), kMaxName);
  if (label.empty()) return folder;
  const bool unique = group.finished() && finished_of_label == 1;
  return unique ? label : label + " (" + folder + ")";
}

void name_groups(std::vector<RunGroup>& groups) {
  std::map<std::string, int> finished;
  for (const RunGroup& group : groups) finished[group.first().record.label] += group.finished();
  std::set<std::string> taken;
  for (RunGroup& group : groups) {
    const std::string own = own_name(group, finished[group.first().record.label]);
    group.name = own;
    for (int n = 2; !taken.insert(group.name).second; ++n) {
      group.name = fmt::format("{} #{}", own, n);
    }
  }
}

int64_t unseen_classes(const RunData& data) { return std::ranges::count(data.seen, false); }

}  // namespace

Statistic statistic(std::span<const double> values) {
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> measured;
  std::ranges::copy_if(values, std::back_inserter(measured),
                       [](double v) { return !std::isnan(v); });
  const auto n = static_cast<int64_t>(measured.size());
  if (n == 0) return {0, kNothing, kNothing};
  const double mean = std::reduce(measured.begin(), measured.end()) / static_cast<double>(n);
  if (n == 1) return {1, mean, kNothing};
  double squares = 0;
  for (const double value : measured) squares += (value - mean) * (value - mean);
  return {n, mean, std::sqrt(squares / static_cast<double>(n - 1))};
}

std::vector<RunGroup> group_runs(const std::vector<TrainingRun>& runs) {
  std::vector<RunGroup> groups;
  for (const TrainingRun& run : runs) {
    auto group = std::ranges::find_if(
        groups, [&](const RunGroup& other) { return belong_together(other.first(), run); });
    if (group == groups.end()) group = groups.insert(groups.end(), RunGroup{});
    group->runs.push_back(&run);
  }
  std::ranges::for_each(groups, fill_in);
  name_groups(groups);
  return groups;
}

std::map<std::string, std::vector<std::string>> differing_settings(
    const std::vector<RunGroup>& groups) {
  std::map<std::string, std::vector<std::string>> table;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const auto& [name, value] : decisive(groups[i].first().settings)) {
      auto& row = table.try_emplace(name, groups.size(), "-").first->second;
      row[i] = to_string(value);
    }
  }
  std::erase_if(table, [](const auto& entry) {
    return std::ranges::all_of(entry.second, [&](auto& text) { return text == entry.second[0]; });
  });
  return table;
}

std::vector<std::vector<const RunGroup*>> by_data_set(const std::vector<RunGroup>& groups) {
  std::vector<std::vector<const RunGroup*>> sets;
  for (const RunGroup& group : groups) {
    auto set = std::ranges::find_if(sets, [&](const auto& other) {
      return same_data(other[0]->first().record.data, group.first().record.data);
    });
    if (set == sets.end()) set = sets.insert(sets.end(), std::vector<const RunGroup*>{});
    set->push_back(&group);
  }
  return sets;
}

bool comparable(const RunData& ours, const PaperData& theirs) {
  const auto classes = static_cast<int64_t>(ours.classes.size());
  const bool same_split = !theirs.unseen || *theirs.unseen == unseen_classes(ours);
  return classes == theirs.classes && same_split && ours.val == theirs.photos;
}

std::string describe(const RunData& data) {
  const std::string name = std::filesystem::path(data.folder).filename().string();
  return fmt::format("{}: {} classes, {} of them unseen; {} photos to train, {} to validate",
                     one_line(name.empty() ? data.folder : name, kMaxName), data.classes.size(),
                     unseen_classes(data), data.train, data.val);
}

}  // namespace tagclip
