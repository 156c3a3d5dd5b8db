#include "report/run_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr const char* kContents = "contents of the files (fingerprint)";

// Returns what may change a run's result, without the seed: its settings, and what its files say
// where the run tells.
Settings defining_settings(const TrainingRun& run) {
  Settings result = run.settings;
  std::erase_if(result, [](const auto& setting) {
    return setting.first == "seed" || free_settings().contains(setting.first);
  });
  if (!run.record.contents.empty()) result[kContents] = run.record.contents;
  return result;
}

// True for paths that lead to the same place as far as both tell: runs of earlier versions keep
// them as they were typed, later ones from the root on.
bool same_path(const std::string& a, const std::string& b) {
  const auto normal = [](const std::string& text) {
    std::string path = std::filesystem::path(text).lexically_normal().string();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  };
  const std::string first = normal(a), second = normal(b);
  const auto& [shorter, longer] =
      std::minmax(first, second, [](const auto& x, const auto& y) { return x.size() < y.size(); });
  return shorter == longer || (!shorter.empty() && longer.ends_with("/" + shorter));
}

// Runs of equal contents may have their files in different places.
bool same_settings(Settings a, Settings b) {
  const bool both_tell = a.contains(kContents) && b.contains(kContents);
  const auto is_settled = [&](const auto& setting) {
    const std::string& name = setting.first;
    if (!both_tell) return name == kContents;
    return is_known_by_content(name) || name.starts_with("val_");
  };
  std::erase_if(a, is_settled);
  std::erase_if(b, is_settled);
  static const std::set<std::string> kPaths = {"data",   "val_data",   "clip",  "start",
                                               "unseen", "val_unseen", "prompt"};
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    const auto* left = std::get_if<std::string>(&x.second);
    const auto* right = std::get_if<std::string>(&y.second);
    const bool paths = left && right && x.first == y.first && kPaths.contains(x.first);
    return paths ? same_path(*left, *right) : x == y;
  });
}

bool same_data(const RunData& a, const RunData& b) {
  return a.classes == b.classes && a.seen == b.seen;
}

bool same_group(const TrainingRun& a, const TrainingRun& b) {
  return a.finished() && b.finished() && a.record.label == b.record.label &&
         same_data(a.record.data, b.record.data) &&
         same_settings(defining_settings(a), defining_settings(b));
}

std::optional<double> number_in(const FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return {};
}

template <class Value>
Statistic over_runs(const RunGroup& group, Value value) {
  std::vector<double> values;
  for (const TrainingRun* run : group.runs) {
    if (run->metrics) values.push_back(value(run->metrics->metrics));
  }
  return statistic(values);
}

// Returns the median time per training photo that a run has logged; NaN for none.
double training_milliseconds(const TrainingRun& run) {
  const auto logged = run.curves.find("images_per_second");
  if (logged == run.curves.end()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> speeds;
  for (const auto& [iteration, speed] : logged->second) speeds.push_back(speed);
  const auto middle = speeds.begin() + static_cast<ptrdiff_t>(speeds.size() / 2);
  std::ranges::nth_element(speeds, middle);
  return *middle > 0 ? 1000 / *middle : std::numeric_limits<double>::quiet_NaN();
}

// The data sets are those of the first run: runs of one group have the same classes.
void summarise_sets(RunGroup& group) {
  if (!group.first().metrics) return;
  for (const SetMetrics& set : group.first().metrics->sets) {
    auto& [name, summary] = group.sets.emplace_back(set.name, SummaryStatistics());
    for (size_t i = 0; i < kSummaryFields.size(); ++i) {
      std::vector<double> values;
      for (const TrainingRun* run : group.runs) {
        if (!run->metrics) continue;
        const auto& sets = run->metrics->sets;
        const auto same = std::ranges::find(sets, set.name, &SetMetrics::name);
        if (same != sets.end()) values.push_back(same->metrics.*kSummaryFields[i].value);
      }
      summary[i] = statistic(values);
    }
  }
}

void summarise(RunGroup& group) {
  const RunRecord& record = group.first().record;
  group.paper = paper_row(record.label);
  for (size_t i = 0; i < kSummaryFields.size(); ++i) {
    group.summary[i] = over_runs(group, [&](const auto& m) { return m.*kSummaryFields[i].value; });
  }
  for (size_t c = 0; c < record.data.classes.size(); ++c) {
    group.class_iou.push_back(over_runs(group, [&](const auto& m) { return m.iou[c]; }));
  }
  summarise_sets(group);
  std::vector<double> training, validation;
  for (const TrainingRun* run : group.runs) {
    training.push_back(training_milliseconds(*run));
    if (run->metrics) validation.push_back(run->metrics->milliseconds_per_photo);
  }
  group.training_milliseconds = statistic(training);
  group.validation_milliseconds = statistic(validation);
}

constexpr size_t kMaxName = 80;  // bytes

// Returns the label, with the folder behind it where the label alone is not unique.
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

// Counts each seed once: equal seeds repeat a run, and would make its spread look small.
void add(const TrainingRun& run, RunGroup& group) {
  const auto same_seed = std::ranges::find_if(
      group.runs, [&](const TrainingRun* other) { return other->record.seed == run.record.seed; });
  if (same_seed == group.runs.end()) {
    group.runs.push_back(&run);
  } else if (run.record.finished > (*same_seed)->record.finished) {
    group.repeats.push_back(std::exchange(*same_seed, &run));
  } else {
    group.repeats.push_back(&run);
  }
}

int64_t unseen_classes(const RunData& data) { return std::ranges::count(data.seen, false); }

}  // namespace

Statistic statistic(std::span<const double> values) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> measured;
  std::ranges::copy_if(values, std::back_inserter(measured),
                       [](double v) { return !std::isnan(v); });
  const auto n = static_cast<int64_t>(measured.size());
  if (n == 0) return {0, kNaN, kNaN};
  const double mean = std::reduce(measured.begin(), measured.end()) / static_cast<double>(n);
  if (n == 1) return {1, mean, kNaN};
  double squares = 0;
  for (const double value : measured) squares += (value - mean) * (value - mean);
  return {n, mean, std::sqrt(squares / static_cast<double>(n - 1))};
}

const Statistic& RunGroup::metric(double SegmentationMetrics::* field) const {
  const auto found = std::ranges::find(kSummaryFields, field, &SummaryField::value);
  TAGCLIP_CHECK(found != kSummaryFields.end(), "a metric of the summary");
  return summary[found - kSummaryFields.begin()];
}

std::vector<RunGroup> group_runs(const std::vector<TrainingRun>& runs) {
  std::vector<RunGroup> groups;
  for (const TrainingRun& run : runs) {
    auto group = std::ranges::find_if(
        groups, [&](const RunGroup& other) { return same_group(other.first(), run); });
    if (group == groups.end()) group = groups.insert(groups.end(), RunGroup{});
    add(run, *group);
  }
  for (RunGroup& group : groups) summarise(group);
  name_groups(groups);
  return groups;
}

std::map<std::string, std::vector<std::string>> differing_settings(
    const std::vector<RunGroup>& groups) {
  std::map<std::string, std::vector<std::string>> table;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const auto& [name, value] : defining_settings(groups[i].first())) {
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

std::vector<std::vector<SweepPoint>> sweeps_over(const std::string& setting,
                                                 const std::vector<RunGroup>& groups) {
  struct Sweep {
    Settings others;  // than the swept setting
    std::vector<SweepPoint> points;
  };
  std::vector<Sweep> sweeps;
  for (const RunGroup& group : groups) {
    Settings others = defining_settings(group.first());
    const auto found = others.find(setting);
    if (found == others.end() || !group.finished()) continue;
    const std::optional<double> value = number_in(found->second);
    if (!value) continue;
    others.erase(found);
    auto sweep = std::ranges::find_if(sweeps, [&](const Sweep& other) {
      return same_settings(other.others, others) &&
             same_data(other.points[0].group->first().record.data, group.first().record.data);
    });
    if (sweep == sweeps.end()) sweep = sweeps.insert(sweep, Sweep{std::move(others), {}});
    sweep->points.push_back({*value, &group});
  }
  std::vector<std::vector<SweepPoint>> result;
  for (Sweep& sweep : sweeps) {
    std::ranges::stable_sort(sweep.points, {}, &SweepPoint::value);
    if (sweep.points.front().value < sweep.points.back().value) {
      result.push_back(std::move(sweep.points));
    }
  }
  return result;
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
