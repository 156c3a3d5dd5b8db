#include "report/class_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"
#include "report/run_table.h"

namespace tagclip {
namespace {

std::string bar(const RunGroup& group, size_t index, size_t c) {
  const Statistic& iou = group.class_iou[c];
  const double width = iou.runs == 0 ? 0 : 100 * iou.mean;
  std::string spread;
  if (iou.runs > 1) {
    const double from = std::max(0.0, width - 100 * iou.deviation);
    const double to = std::min(100.0, width + 100 * iou.deviation);
    spread = fmt::format(R"(<i style="left:{:.2f}%;width:{:.2f}%"></i>)", from, to - from);
  }
  return fmt::format(
      R"(<div class="track" title="{}"><div class="bar {}" style="width:{:.2f}%"></div>{}</div>)"
      R"(<span class="value">{}</span>)",
      escaped(group.name), group_class(index), width, spread, format_statistic(iou));
}

std::string rows(const std::vector<const RunGroup*>& groups, const std::vector<RunGroup>& all,
                 bool seen) {
  const RunData& data = groups.front()->first().record.data;
  std::string html;
  for (size_t c = 0; c < data.classes.size(); ++c) {
    if (data.seen[c] != seen) continue;
    html +=
        fmt::format("<div class=\"class\">{}</div><div class=\"bars\">", escaped(data.classes[c]));
    for (const RunGroup* group : groups) html += bar(*group, group - all.data(), c);
    html += "</div>\n";
  }
  if (html.empty()) return "";
  return fmt::format("<h3>{} classes</h3>\n<div class=\"classes\">\n{}</div>\n",
                     seen ? "Seen" : "Unseen", html);
}

}  // namespace

std::string class_bars(const std::vector<const RunGroup*>& groups,
                       const std::vector<RunGroup>& all) {
  const auto validated = [](const RunGroup* group) {
    return std::ranges::any_of(group->runs,
                               [](const TrainingRun* run) { return run->metrics.has_value(); });
  };
  std::vector<const RunGroup*> shown;
  std::ranges::copy_if(groups, std::back_inserter(shown), validated);
  if (shown.empty()) return "";
  return rows(shown, all, false) + rows(shown, all, true);
}

}  // namespace tagclip
