#include "report/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "metrics/display_width.h"

namespace tagclip {
namespace {

using TableRow = std::vector<std::string>;

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

TableRow row_of(const PaperRow& paper) {
  TableRow row = {fmt::format("  paper, {}: {}", paper.place, paper.method), ""};
  for (size_t i = 0; i < kTableColumns; ++i) {
    row.push_back(format_paper_value(paper_value(paper, kSummaryFields[i].value)));
  }
  return row;
}

// Columns of one width, a run's mean under the next one's.
std::string aligned(const std::vector<TableRow>& rows) {
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

// A note a data set of the paper that the runs beside its rows were not measured on.
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

bool any_deviation(const std::vector<RunGroup>& groups) {
  return std::ranges::any_of(groups, [](const RunGroup& group) { return group.runs.size() > 1; });
}

}  // namespace

std::string format_statistic(const Statistic& statistic) {
  if (statistic.runs == 0) return "-";
  if (statistic.runs == 1) return fmt::format("{:.2f}", 100 * statistic.mean);
  return fmt::format("{:.2f} ± {:.2f}", 100 * statistic.mean, 100 * statistic.deviation);
}

std::string format_paper_value(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.1f}", 100 * share);
}

std::string state_of(const RunGroup& group) {
  if (group.finished()) return "";
  return fmt::format(", unfinished: {} of {} iterations", group.first().iteration(),
                     group.first().record.iterations);
}

std::vector<std::string> table_notes(const std::vector<RunGroup>& groups) {
  std::vector<std::string> notes;
  for (const auto& set : by_data_set(groups)) {
    notes.push_back(describe(set.front()->first().record.data) + ".");
  }
  if (any_deviation(groups)) {
    notes.push_back("Percent; mean ± standard deviation (n - 1) over the n runs of other seeds.");
  } else {
    notes.push_back("Percent.");
  }
  std::ranges::copy(incomparable_notes(groups), std::back_inserter(notes));
  return notes;
}

std::string format_run_table(const std::vector<RunGroup>& groups) {
  std::vector<TableRow> rows = {head()};
  for (const RunGroup& group : groups) {
    rows.push_back(row_of(group));
    if (group.paper != nullptr) rows.push_back(row_of(*group.paper));
  }
  std::string text = aligned(rows) + "\n";
  for (const std::string& note : table_notes(groups)) text += note + "\n";
  return text;
}

}  // namespace tagclip
