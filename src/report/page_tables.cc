#include "report/page_tables.h"

#include <fmt/format.h>

#include "report/html.h"
#include "report/run_table.h"

namespace tagclip {
namespace {

// Cells are HTML.
std::string row(const std::vector<std::string>& cells, const char* cell,
                const char* css_class = "") {
  std::string html = fmt::format("<tr class=\"{}\">", css_class);
  for (const std::string& text : cells) html += fmt::format("<{0}>{1}</{0}>", cell, text);
  return html + "</tr>\n";
}

std::string table(const std::string& rows, const char* css_class = "") {
  return fmt::format("<div class=\"scroll\"><table class=\"{}\">\n{}</table></div>\n", css_class,
                     rows);
}

std::string result_row(const RunGroup& group, size_t index) {
  std::vector<std::string> cells = {
      fmt::format("<span class=\"swatch {}\"></span>{}{}", group_class(index), escaped(group.name),
                  escaped(state_of(group))),
      fmt::format("{}", group.runs.size())};
  for (size_t i = 0; i < kTableColumns; ++i) cells.push_back(format_statistic(group.summary[i]));
  return row(cells, "td");
}

std::string paper_cells(const PaperRow& paper) {
  std::vector<std::string> cells = {
      escaped(fmt::format("paper, {}: {}", paper.place, paper.method)), ""};
  for (size_t i = 0; i < kTableColumns; ++i) {
    cells.push_back(format_paper_value(paper_value(paper, kSummaryFields[i].value)));
  }
  return row(cells, "td", "paper");
}

std::string duration(double seconds) {
  const auto minutes = static_cast<int64_t>(seconds / 60);
  return minutes < 1 ? fmt::format("{:.0f} s", seconds)
                     : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string state_of(const TrainingRun& run) {
  return run.finished() ? run.record.finished : "unfinished";
}

std::string run_row(const TrainingRun& run) {
  const RunRecord& record = run.record;
  return row({escaped(run.folder.string()), escaped(record.label), fmt::format("{}", record.seed),
              escaped(state_of(run)), fmt::format("{} of {}", run.iteration(), record.iterations),
              duration(record.seconds),
              fmt::format("{} of {}", record.trained_parameters, record.all_parameters),
              escaped(record.device), fmt::format("{}", record.ranks), escaped(record.precision),
              escaped(record.tagclip), escaped(record.libtorch)},
             "td");
}

}  // namespace

std::string results_table(const std::vector<RunGroup>& groups) {
  std::vector<std::string> head = {"run", "n"};
  for (size_t i = 0; i < kTableColumns; ++i) head.emplace_back(kSummaryFields[i].name);
  std::string rows = row(head, "th");
  for (size_t g = 0; g < groups.size(); ++g) {
    rows += result_row(groups[g], g);
    if (groups[g].paper != nullptr) rows += paper_cells(*groups[g].paper);
  }
  std::string notes;
  for (const std::string& note : table_notes(groups)) notes += "<li>" + escaped(note) + "</li>\n";
  return table(rows, "numbers") + "<ul class=\"notes\">\n" + notes + "</ul>\n";
}

std::string settings_table(const std::vector<RunGroup>& groups) {
  const auto settings = differing_settings(groups);
  if (settings.empty()) return "";
  std::vector<std::string> head = {"setting"};
  for (const RunGroup& group : groups) head.push_back(escaped(group.name));
  std::string rows = row(head, "th");
  for (const auto& [name, values] : settings) {
    std::vector<std::string> cells = {escaped(name)};
    for (const std::string& value : values) cells.push_back(escaped(value));
    rows += row(cells, "td");
  }
  return table(rows);
}

std::string runs_table(const std::vector<RunGroup>& groups) {
  std::string rows =
      row({"folder", "label", "seed", "finished", "iterations", "time", "trained parameters",
           "device", "ranks", "precision", "tagclip", "LibTorch"},
          "th");
  for (const RunGroup& group : groups) {
    for (const TrainingRun* run : group.runs) rows += run_row(*run);
  }
  return table(rows);
}

}  // namespace tagclip
