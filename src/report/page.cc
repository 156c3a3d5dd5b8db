#include "report/page.h"

#include <fmt/format.h>

#include "report/class_bars.h"
#include "report/curve_charts.h"
#include "report/html.h"
#include "report/page_style.h"
#include "report/page_tables.h"
#include "report/photo_columns.h"

namespace tagclip {
namespace {

// The policy is a second lock: should a stranger's text ever slip through, nothing of it runs and
// nothing is fetched.
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

// A section a data set: classes of different sets have nothing in common.
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

std::string counted(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string report_page(const std::vector<RunGroup>& groups) {
  size_t runs = 0;
  for (const RunGroup& group : groups) runs += group.runs.size();
  const std::string key = colour_key(groups), curves = curve_charts(groups);

  std::string page(kHead);
  page += kPageStyle;
  page += "</style>\n</head>\n<body>\n<h1>Training runs</h1>\n";
  page += fmt::format("<p>{}, {}.</p>\n", counted(runs, "run"), counted(groups.size(), "setting"));
  page += section("Results", results_table(groups));
  page += per_data_set("Photos", groups, [](const auto& set) { return photo_columns(set); });
  page += per_data_set("IoU by class, %", groups, [&](const auto& set) {
    const std::string bars = class_bars(set, groups);
    return bars.empty() ? "" : key + bars;
  });
  page += section("Curves over the iterations", curves.empty() ? "" : key + curves);
  page += section("Settings that differ", settings_table(groups));
  page += section("Runs", runs_table(groups));
  return page + "</body>\n</html>\n";
}

}  // namespace tagclip
