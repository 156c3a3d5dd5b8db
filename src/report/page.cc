#include "report/page.h"

#include <fmt/format.h>

#include <string_view>

#include "base/text.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/photo_columns.h"
#include "report/run_table.h"

namespace tagclip {
namespace {

constexpr std::string_view kStyle = R"(
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #202124; --faint: #63676e; --rule: #d9dade; --track: #ececee;
  --seen: #000; --unseen: #d00000;
  --g0: #0072b2; --g1: #d55e00; --g2: #008f6b; --g3: #b8559a;
  --g4: #b07800; --g5: #3f9bd1; --g6: #6d4bb3; --g7: #666;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17191c; --ink: #e6e7ea; --faint: #a0a4ab; --rule: #3a3d43; --track: #26292e;
    --seen: #fff; --unseen: #ff4d4d;
    --g0: #57aee0; --g1: #f08a43; --g2: #35c79d; --g3: #de8cc4;
    --g4: #e3b04b; --g5: #9bd4f5; --g6: #b39cec; --g7: #b5b5b5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem 1rem 4rem; max-width: 76rem;
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.6rem; margin: .5rem 0 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 60rem; }
.scroll { overflow-x: auto; }
.g0 { --own: var(--g0); } .g1 { --own: var(--g1); } .g2 { --own: var(--g2); }
.g3 { --own: var(--g3); } .g4 { --own: var(--g4); } .g5 { --own: var(--g5); }
.g6 { --own: var(--g6); } .g7 { --own: var(--g7); }

table { border-collapse: collapse; font-size: .95rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; white-space: nowrap; }
th { border-bottom: 1px solid var(--rule); font-weight: 600; }
table.numbers th:nth-child(n+2), table.numbers td:nth-child(n+2) { text-align: right; }
tr.paper, .notes, figcaption { color: var(--faint); }
tr.paper td:first-child, tr.set td:first-child { padding-left: 1.25rem; }
.notes { padding-left: 1.2rem; font-size: .9rem; max-width: 60rem; }

.key { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; }
.swatch {
  display: inline-block; width: 1.5rem; margin-right: .4rem; vertical-align: middle;
  border-top: 4px solid var(--own);
}
.swatch.dashed { border-top-style: dashed; }

.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
figure { margin: 0; }
figcaption { font-size: .9rem; overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; height: auto; font-size: 11px; }
.chart text { fill: var(--faint); }
.chart .left { text-anchor: end; } .chart .below { text-anchor: middle; }
.grid { stroke: var(--rule); stroke-width: .7; }
.curve polyline { fill: none; stroke: var(--own); stroke-width: 1.5; stroke-linejoin: round; opacity: .85; }
.curve.dashed polyline { stroke-dasharray: 5 3; }
.curve circle { fill: var(--own); }
.curve .error { stroke: var(--own); stroke-width: 1.2; }
figcaption .swatch { margin-left: .3rem; }

.classes { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .5rem .75rem; }
.class { overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: 1fr 11.5rem; gap: 2px .5rem; align-items: center; }
.track { position: relative; background: var(--track); height: .8rem; }
.bar { height: 100%; background: var(--own); }
.bar.dashed { opacity: .6; }
.track i { position: absolute; top: 50%; height: 2px; margin-top: -1px; background: var(--ink); }
.track b.paper { position: absolute; top: -2px; bottom: -2px; width: 2px; margin-left: -1px; background: var(--unseen); }
.value { white-space: nowrap; font-size: .8rem; line-height: 1.2; color: var(--faint); font-variant-numeric: tabular-nums; }

.photos { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(9rem, 1fr); gap: .5rem; align-items: end; margin-top: 1rem; }
.photos img { display: block; width: 100%; height: auto; }
.none { color: var(--faint); border: 1px dashed var(--rule); padding: 1rem; margin: 0; }
.tag { display: inline-block; padding: 0 .4rem; margin: .1rem 0; color: #000; border: 2px solid var(--seen); font-size: .85rem; }
.tag.unseen { border-color: var(--unseen); }
)";

// Returns a table row; the cells are HTML.
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

std::string set_row(const std::string& set, const SummaryStatistics& summary) {
  std::vector<std::string> cells = {escaped("on " + set), ""};
  for (size_t i = 0; i < kTableColumns; ++i) cells.push_back(format_statistic(summary[i]));
  return row(cells, "td", "set");
}

std::string paper_cells(const PaperRow& paper) {
  std::vector<std::string> cells = {
      escaped(fmt::format("paper, {}: {}", paper.place, paper.method)), ""};
  for (size_t i = 0; i < kTableColumns; ++i) {
    cells.push_back(percent(paper_value(paper, kSummaryFields[i].value), 1));
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

// The content security policy is a second defence: even if untrusted text got into the page
// unescaped, it could not run or fetch anything.
constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>tagclip: training runs</title>
<style>)";

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? "" : fmt::format("<h2>{}</h2>\n{}", title, content);
}

std::string colour_key(const std::vector<RunGroup>& groups) {
  std::string html = "<ul class=\"key\">\n";
  for (size_t g = 0; g < groups.size(); ++g) {
    html += fmt::format("<li><span class=\"swatch {}\"></span>{}</li>\n", group_class(g),
                        escaped(groups[g].name));
  }
  return html + "</ul>\n";
}

// Returns a section per data set, as different sets have different classes.
template <class Content>
std::string per_data_set(const std::string& title, const std::vector<RunGroup>& groups,
                         Content content) {
  std::string html;
  const auto sets = by_data_set(groups);
  for (const auto& set : sets) {
    const std::string data = escaped(describe(set.front()->first().record.data));
    html += section(sets.size() > 1 ? title + ", " + data : title, content(set));
  }
  return html;
}

std::string results_table(const std::vector<RunGroup>& groups) {
  std::vector<std::string> head = {"run", "n"};
  for (size_t i = 0; i < kTableColumns; ++i) head.emplace_back(kSummaryFields[i].name);
  std::string rows = row(head, "th");
  for (size_t g = 0; g < groups.size(); ++g) {
    rows += result_row(groups[g], g);
    for (const auto& [set, summary] : groups[g].sets) rows += set_row(set, summary);
    if (groups[g].paper != nullptr) rows += paper_cells(*groups[g].paper);
  }
  std::string notes;
  for (const std::string& note : table_notes(groups)) notes += "<li>" + escaped(note) + "</li>\n";
  return table(rows, "numbers") + "<ul class=\"notes\">\n" + notes + "</ul>\n";
}

std::string cost_table(const std::vector<RunGroup>& groups) {
  const TableCells cells = cost_cells(groups);
  std::string rows = row(cells.front(), "th");
  for (size_t g = 0; g < groups.size(); ++g) {
    std::vector<std::string> line = cells[g + 1];
    line[0] = fmt::format("<span class=\"swatch {}\"></span>{}", group_class(g), escaped(line[0]));
    rows += row(line, "td");
  }
  return table(rows, "numbers");
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
    for (const TrainingRun* run : group.repeats) rows += run_row(*run);
  }
  return table(rows);
}

}  // namespace

std::string report_page(const std::vector<RunGroup>& groups) {
  size_t runs = 0;
  for (const RunGroup& group : groups) runs += group.runs.size() + group.repeats.size();
  const std::string key = colour_key(groups), curves = curve_charts(groups);

  std::string page(kHead);
  page += kStyle;
  page += "</style>\n</head>\n<body>\n<h1>Training runs</h1>\n";
  page += fmt::format("<p>{}, {}.</p>\n", counted(runs, "run"), counted(groups.size(), "setting"));
  page += section("Results", results_table(groups));
  page += per_data_set("Photos", groups, [](const auto& set) { return photo_columns(set); });
  page += per_data_set("IoU by class, %", groups, [&](const auto& set) {
    const std::string bars = class_bars(set, groups);
    return bars.empty() ? "" : key + bars;
  });
  page += section("Weight of the trusty loss, gamma", gamma_charts(groups));
  page += section("Curves over the iterations", curves.empty() ? "" : key + curves);
  page += section("Cost", cost_table(groups));
  page += section("Settings that differ", settings_table(groups));
  page += section("Runs", runs_table(groups));
  return page + "</body>\n</html>\n";
}

}  // namespace tagclip
