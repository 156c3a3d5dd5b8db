#include "report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "report/html.h"
#include "report/run_table.h"

namespace tagclip {
namespace {

constexpr double kWideRange = 20;  // from which on a logarithm shows more

// 1, 2 or 5 times a power of ten, so that about four steps span the range.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 4)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= range / 4 * 0.8) return factor * power;
  }
  return 10 * power;
}

std::vector<double> even_ticks(double low, double high) {
  const double step = round_step(high - low);
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 10 && (first + i) * step <= high + 1e-9 * step; ++i) {
    ticks.push_back((first + i) * step);
  }
  return ticks;
}

std::vector<double> powers_of_ten(double low, double high) {
  const auto first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const auto last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const int step = std::max(1, (last - first + 3) / 4);
  std::vector<double> ticks;
  for (int power = first; power <= last; power += step) ticks.push_back(std::pow(10, power));
  return ticks;
}

constexpr double kWidth = 340, kHeight = 190, kLeft = 46, kRight = 18, kTop = 8, kBottom = 22;
constexpr size_t kMaxPoints = 200;    // a line
constexpr size_t kMarkedPoints = 40;  // up to here each point gets a dot

struct Quantity {
  std::string name;  // in the log
  std::string title;
  double scale = 1;
  bool logarithmic = false;
};

const std::vector<Quantity>& known_quantities() {
  static const std::vector<Quantity> list = [] {
    std::vector<Quantity> all = {{"loss", "Loss", 1, true},
                                 {"mask", "Mask loss", 1, true},
                                 {"dice", "Dice loss", 1, true},
                                 {"trusty", "Trusty loss", 1, true},
                                 {"presence", "Presence loss", 1, true},
                                 {"lr", "Learning rate"},
                                 {"gradient_norm", "Gradient norm", 1, true},
                                 {"images_per_second", "Photos a second"}};
    for (const SummaryField& field : kSummaryFields) {
      all.push_back({field.name, std::string("Validation ") + field.name + ", %", 100});
    }
    return all;
  }();
  return list;
}

// What the runs have logged: what is known in its order, then the rest by name.
std::vector<Quantity> logged_quantities(const std::vector<RunGroup>& groups) {
  std::set<std::string> names;
  for (const RunGroup& group : groups) {
    for (const TrainingRun* run : group.runs) {
      for (const auto& [name, curve] : run->curves) names.insert(name);
    }
  }
  std::vector<Quantity> result;
  for (const Quantity& quantity : known_quantities()) {
    if (names.erase(quantity.name) > 0) result.push_back(quantity);
  }
  for (const std::string& name : names) result.push_back({name, name});
  return result;
}

struct Point {
  double iteration, value;
};

// At most kMaxPoints, each the mean of as many neighbours.
std::vector<Point> points_of(const Curve& curve, double scale) {
  const size_t bucket = (curve.size() + kMaxPoints - 1) / kMaxPoints;
  std::vector<Point> points;
  for (auto at = curve.begin(); at != curve.end();) {
    Point sum{0, 0};
    size_t count = 0;
    for (; at != curve.end() && count < bucket; ++at, ++count) {
      sum.iteration += static_cast<double>(at->first);
      sum.value += at->second * scale;
    }
    const auto n = static_cast<double>(count);
    points.push_back({sum.iteration / n, sum.value / n});
  }
  return points;
}

struct Line {
  std::string title;
  std::string css_class;
  std::vector<Point> points;
};

std::vector<Line> lines_of(const std::vector<RunGroup>& groups, const Quantity& quantity) {
  std::vector<Line> lines;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const TrainingRun* run : groups[g].runs) {
      const auto curve = run->curves.find(quantity.name);
      if (curve == run->curves.end()) continue;
      lines.push_back({fmt::format("{}, seed {}", groups[g].name, run->record.seed), group_class(g),
                       points_of(curve->second, quantity.scale)});
    }
  }
  return lines;
}

class Chart {
 public:
  Chart(const std::vector<Line>& lines, bool logarithmic)
      : lines_(lines), x_(axis(&Point::iteration, false)), y_(axis(&Point::value, logarithmic)) {}

  std::string svg(const std::string& title) const {
    std::string text = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)",
                                   kWidth, kHeight, escaped(title));
    for (const double tick : y_.ticks()) {
      const double y = pixel_y(tick);
      text += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft,
                          kWidth - kRight, y, y);
      text += fmt::format(R"(<text class="left" x="{}" y="{:.1f}">{}</text>)", kLeft - 5, y + 4,
                          tick_label(tick));
    }
    for (const double tick : x_.ticks()) {
      text += fmt::format(R"(<text class="below" x="{:.1f}" y="{}">{}</text>)", pixel_x(tick),
                          kHeight - 6, tick_label(tick));
    }
    for (const Line& line : lines_) text += drawn(line);
    return text + "</svg>";
  }

 private:
  ChartAxis axis(double Point::* coordinate, bool logarithmic) const {
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (const Line& line : lines_) {
      for (const Point& point : line.points) {
        low = std::min(low, point.*coordinate);
        high = std::max(high, point.*coordinate);
      }
    }
    return {low, high, logarithmic};
  }
  double pixel_x(double value) const { return kLeft + x_.at(value) * (kWidth - kLeft - kRight); }
  double pixel_y(double value) const {
    return kTop + (1 - y_.at(value)) * (kHeight - kTop - kBottom);
  }

  std::string drawn(const Line& line) const {
    std::string path, dots;
    for (const Point& point : line.points) {
      const double x = pixel_x(point.iteration), y = pixel_y(point.value);
      path += fmt::format("{:.1f},{:.1f} ", x, y);
      dots += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="2.5"/>)", x, y);
    }
    if (line.points.size() > kMarkedPoints) dots.clear();
    return fmt::format(R"(<g class="curve {}"><title>{}</title><polyline points="{}"/>{}</g>)",
                       line.css_class, escaped(line.title), path, dots);
  }

  const std::vector<Line>& lines_;
  ChartAxis x_, y_;
};

bool all_zero(const std::vector<Line>& lines) {
  return std::ranges::all_of(lines, [](const Line& line) {
    return std::ranges::all_of(line.points, [](const Point& point) { return point.value == 0; });
  });
}

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

ChartAxis::ChartAxis(double low, double high, bool logarithmic)
    : low_(low), high_(high), logarithmic_(logarithmic && low > 0 && high / low >= kWideRange) {
  if (!(high_ > low_)) {
    const double margin = low_ == 0 ? 1 : std::abs(low_) / 2;
    low_ -= margin;
    high_ += margin;
  }
  ticks_ = logarithmic_ ? powers_of_ten(low_, high_) : even_ticks(low_, high_);
}

double ChartAxis::at(double value) const {
  if (!logarithmic_) return (value - low_) / (high_ - low_);
  return std::log(value / low_) / std::log(high_ / low_);
}

std::string tick_label(double value) {
  if (std::abs(value) >= 1000 && std::abs(value) < 1e7) return fmt::format("{:.0f}", value);
  // A sum of steps that should be zero.
  return fmt::format("{:.3g}", std::abs(value) < 1e-12 ? 0 : value);
}

std::string curve_charts(const std::vector<RunGroup>& groups) {
  std::string html;
  for (const Quantity& quantity : logged_quantities(groups)) {
    const std::vector<Line> lines = lines_of(groups, quantity);
    if (all_zero(lines)) continue;  // a term of the loss that is switched off
    html += fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption>{}</figure>\n",
                        escaped(quantity.title),
                        Chart(lines, quantity.logarithmic).svg(quantity.title));
  }
  return html.empty() ? "" : "<div class=\"charts\">\n" + html + "</div>\n";
}

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
