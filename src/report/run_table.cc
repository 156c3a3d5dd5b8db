#include "report/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/text.h"

// The comparison as programs read it.

namespace tagclip {
namespace {

using TableRow = TableCells::value_type;

TableRow head() {
  TableRow row = {"run", "n"};
  for (size_t i = 0; i < kTableColumns; ++i) row.push_back(kSummaryFields[i].name);
  return row;
}

TableRow row_of(const RunGroup& group) {
  TableRow row = {group.name + state_of(group), fmt::format("{}", group.runs.size())};
  for (size_t i = 0; i < kTableColumns; ++i) row.push_back(format_statistic(group.summary[i]));
  return row;
}

TableRow row_of(const std::string& set, const SummaryStatistics& summary) {
  TableRow row = {"  on " + one_line(set), ""};
  for (size_t i = 0; i < kTableColumns; ++i) row.push_back(format_statistic(summary[i]));
  return row;
}

TableRow row_of(const PaperRow& paper) {
  TableRow row = {fmt::format("  paper, {}: {}", paper.place, paper.method), ""};
  for (size_t i = 0; i < kTableColumns; ++i) {
    row.push_back(percent(paper_value(paper, kSummaryFields[i].value), 1));
  }
  return row;
}

// Returns the rows as text whose columns are aligned.
std::string aligned(const TableCells& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const TableRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string table;
  for (const TableRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - display_width(row[i]) + 2, ' ');
    }
    table += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return table;
}

std::string describe(const PaperData& data) {
  const std::string unseen = data.unseen ? fmt::format(", {} of them unseen", *data.unseen) : "";
  return fmt::format("{}: {} classes{}; {} photos to test", data.name, data.classes, unseen,
                     data.photos);
}

// Returns a note per data set of the paper, for the groups whose numbers are of other data.
std::vector<std::string> incomparable_notes(const std::vector<RunGroup>& groups) {
  std::map<const PaperData*, std::string> names;
  for (const RunGroup& group : groups) {
    if (group.paper == nullptr) continue;
    if (comparable(group.first().record.data, *group.paper->data)) continue;
    std::string& list = names[group.paper->data];
    list += (list.empty() ? "" : ", ") + group.name;
  }
  std::vector<std::string> notes;
  for (const auto& [data, list] : names) {
    notes.push_back(fmt::format("Not comparable with the paper's numbers: {}. Those are of {}.",
                                list, describe(*data)));
  }
  return notes;
}

bool any_spread(const std::vector<RunGroup>& groups) {
  return std::ranges::any_of(groups, [](const RunGroup& group) { return group.runs.size() > 1; });
}

// "55.1", "-" for no run.
std::string format_milliseconds(const Statistic& milliseconds) {
  if (milliseconds.count == 0) return "-";
  return fmt::format("{:.1f}", milliseconds.mean);
}

using nlohmann::ordered_json;

// JSON has no NaN: nlohmann writes null for it.
ordered_json json_of(const Statistic& statistic) {
  return {{"n", statistic.count}, {"mean", statistic.mean}, {"std", statistic.std}};
}

ordered_json json_of(const TrainingRun& run) {
  ordered_json json = {{"folder", run.folder.string()},       {"seed", run.record.seed},
                       {"finished", run.finished()},          {"iteration", run.iteration()},
                       {"iterations", run.record.iterations}, {"metrics", ordered_json()}};
  if (!run.metrics) return json;
  json["metrics"]["iteration"] = run.metrics->iteration;
  for (const SummaryField& field : kSummaryFields) {
    json["metrics"][field.json_name] = run.metrics->metrics.*field.value;
  }
  return json;
}

ordered_json json_of(const PaperRow& paper) {
  ordered_json json = {
      {"place", paper.place}, {"method", paper.method}, {"data", paper.data->name}};
  for (const SummaryField& field : kSummaryFields) {
    const double value = paper_value(paper, field.value);
    if (!std::isnan(value)) json[field.json_name] = value;
  }
  return json;
}

ordered_json json_of(const RunGroup& group) {
  const RunData& data = group.first().record.data;
  ordered_json json = {{"name", group.name},
                       {"label", group.first().record.label},
                       {"finished", group.finished()},
                       {"data", describe(data)},
                       {"parameters",
                        {{"trained", group.first().record.trained_parameters},
                         {"all", group.first().record.all_parameters}}},
                       {"training_ms_per_photo", json_of(group.training_milliseconds)},
                       {"validation_ms_per_photo", json_of(group.validation_milliseconds)},
                       {"runs", ordered_json::array()},
                       {"repeats", ordered_json::array()},  // of these seeds, not counted
                       {"metrics", ordered_json::object()},
                       {"classes", ordered_json::array()}};
  for (const TrainingRun* run : group.runs) json["runs"].push_back(json_of(*run));
  for (const TrainingRun* run : group.repeats) json["repeats"].push_back(json_of(*run));
  for (size_t i = 0; i < kSummaryFields.size(); ++i) {
    json["metrics"][kSummaryFields[i].json_name] = json_of(group.summary[i]);
  }
  for (const auto& [name, summary] : group.sets) {
    ordered_json set = {{"name", name}};
    for (size_t i = 0; i < kSummaryFields.size(); ++i) {
      set[kSummaryFields[i].json_name] = json_of(summary[i]);
    }
    json["sets"].push_back(std::move(set));
  }
  for (size_t c = 0; c < data.classes.size(); ++c) {
    json["classes"].push_back({{"name", data.classes[c]},
                               {"seen", static_cast<bool>(data.seen[c])},
                               {"iou", json_of(group.class_iou[c])}});
  }
  if (group.paper != nullptr) {
    json["paper"] = json_of(*group.paper);
    json["paper"]["comparable"] = comparable(data, *group.paper->data);
  }
  return json;
}

}  // namespace

std::string format_statistic(const Statistic& statistic) {
  if (statistic.count == 0) return "-";
  if (statistic.count == 1) return fmt::format("{:.2f}", 100 * statistic.mean);
  return fmt::format("{:.2f} ± {:.2f}", 100 * statistic.mean, 100 * statistic.std);
}

std::string state_of(const RunGroup& group) {
  if (group.finished()) return "";
  return fmt::format(", unfinished: {} of {} iterations", group.first().iteration(),
                     group.first().record.iterations);
}

TableCells cost_cells(const std::vector<RunGroup>& groups) {
  TableCells cells = {{"run", "trained parameters", "all parameters", "training, ms per photo",
                       "validation, ms per photo"}};
  for (const RunGroup& group : groups) {
    const RunRecord& record = group.first().record;
    cells.push_back({group.name, fmt::format("{}", record.trained_parameters),
                     fmt::format("{}", record.all_parameters),
                     format_milliseconds(group.training_milliseconds),
                     format_milliseconds(group.validation_milliseconds)});
  }
  return cells;
}

std::vector<std::string> table_notes(const std::vector<RunGroup>& groups) {
  std::vector<std::string> notes;
  for (const auto& set : by_data_set(groups)) {
    notes.push_back(describe(set.front()->first().record.data) + ".");
  }
  if (any_spread(groups)) {
    notes.push_back(
        "Percent; mean ± standard deviation (n - 1) over the n runs with different seeds.");
  } else {
    notes.push_back("Percent.");
  }
  if (std::ranges::any_of(groups, [](const RunGroup& group) { return !group.sets.empty(); })) {
    notes.push_back("Of several data sets, the first row has the means of theirs.");
  }
  for (const RunGroup& group : groups) {
    for (const TrainingRun* run : group.repeats) {
      notes.push_back(fmt::format("{} repeats seed {} of {} and is not counted.",
                                  run->folder.string(), run->record.seed, group.name));
    }
  }
  std::ranges::copy(incomparable_notes(groups), std::back_inserter(notes));
  return notes;
}

std::string format_run_table(const std::vector<RunGroup>& groups) {
  TableCells rows = {head()};
  for (const RunGroup& group : groups) {
    rows.push_back(row_of(group));
    for (const auto& [set, summary] : group.sets) rows.push_back(row_of(set, summary));
    if (group.paper != nullptr) rows.push_back(row_of(*group.paper));
  }
  std::string text = aligned(rows) + "\n";
  for (const std::string& note : table_notes(groups)) text += note + "\n";
  return text + "\n" + aligned(cost_cells(groups));
}

std::string to_json(const std::vector<RunGroup>& groups) {
  ordered_json json = {{"groups", ordered_json::array()}};
  for (const RunGroup& group : groups) json["groups"].push_back(json_of(group));
  return json_text(json, 2) + "\n";
}

}  // namespace tagclip
