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

// Returns 1, 2 or 5 times a power of ten, so that about four steps span the range.
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

// A chart and its margins have these sizes in pixels.
constexpr double kWidth = 340, kHeight = 190, kLeft = 46, kRight = 18, kTop = 8, kBottom = 22;

struct Point {
  double x, y;
  double error = 0;  // half the length of the error bar
};

struct Line {
  std::string title;
  std::string css_class;
  std::vector<Point> points;
};

// Holds the bounds of some values; empty until the first one.
struct Bounds {
  double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // True if a linear axis would hide what happens at small values.
  bool needs_logarithm() const { return low > 0 && high / low >= 20; }
};

// Draws an SVG line chart.
class Chart {
 public:
  struct Style {
    bool logarithmic_x = false;
    bool logarithmic_y = false;   // where the values span more than a decade or so
    std::vector<double> x_ticks;  // empty: round values
  };

  Chart(const std::vector<Line>& lines, const Style& style)
      : lines_(lines), x_(x_axis(lines, style)), y_(y_axis(lines, style)) {
    x_ticks_ = style.x_ticks.empty() ? x_.ticks() : style.x_ticks;
  }

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
    for (const double tick : x_ticks_) {
      text += fmt::format(R"(<text class="below" x="{:.1f}" y="{}">{}</text>)", pixel_x(tick),
                          kHeight - 6, tick_label(tick));
    }
    for (const Line& line : lines_) text += drawn(line);
    return text + "</svg>";
  }

 private:
  static ChartAxis x_axis(const std::vector<Line>& lines, const Style& style) {
    Bounds bounds;
    for (const Line& line : lines) {
      for (const Point& point : line.points) bounds.add(point.x);
    }
    return {bounds.low, bounds.high, style.logarithmic_x};
  }
  static ChartAxis y_axis(const std::vector<Line>& lines, const Style& style) {
    Bounds bounds;
    for (const Line& line : lines) {
      for (const Point& point : line.points) {
        bounds.add(point.y - point.error);
        bounds.add(point.y + point.error);
      }
    }
    return {bounds.low, bounds.high, style.logarithmic_y && bounds.needs_logarithm()};
  }

  double pixel_x(double value) const { return kLeft + x_.at(value) * (kWidth - kLeft - kRight); }
  double pixel_y(double value) const {
    return kTop + (1 - y_.at(value)) * (kHeight - kTop - kBottom);
  }

  std::string drawn(const Line& line) const {
    constexpr size_t kMarkedPoints = 40;  // more dots would hide the line
    std::string path, marks;
    for (const Point& point : line.points) {
      const double x = pixel_x(point.x), y = pixel_y(point.y);
      path += fmt::format("{:.1f},{:.1f} ", x, y);
      if (line.points.size() > kMarkedPoints) continue;
      marks += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="2.5"/>)", x, y);
      if (point.error == 0) continue;
      marks += fmt::format(
          R"(<line class="error" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", x,
          pixel_y(point.y - point.error), pixel_y(point.y + point.error));
    }
    return fmt::format(R"(<g class="curve {}"><title>{}</title><polyline points="{}"/>{}</g>)",
                       line.css_class, escaped(line.title), path, marks);
  }

  const std::vector<Line>& lines_;
  ChartAxis x_, y_;
  std::vector<double> x_ticks_;
};

std::string figure(const std::string& caption, const std::string& content) {
  return fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption>{}</figure>\n", caption,
                     content);
}

// Says how a quantity of the logs is charted.
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
                                 {"images_per_second", "Photos per second"}};
    for (const SummaryField& field : kSummaryFields) {
      all.push_back({field.name, std::string("Validation ") + field.name + ", %", 100});
    }
    return all;
  }();
  return list;
}

// Returns true if a run's model has the loss of that name: logs of earlier versions hold zeros for
// one that it does not have, and a weight of zero leaves nothing of it.
bool has_loss(const TrainingRun& run, const std::string& name) {
  const auto is = [&](const char* setting, const FieldValue& value) {
    const auto found = run.settings.find(setting);
    return found != run.settings.end() && found->second == value;
  };
  if (name == "trusty") return !is("model.trusty_token", false) && !is("loss.trusty_weight", 0.0);
  if (name == "presence") {
    return !is("model.protocol", "released") && !is("loss.presence_weight", 0.0);
  }
  return true;
}

// A validation's metric of one of several data sets, "msrc21/mIoU", or what is not known.
Quantity other_quantity(const std::string& name) {
  const size_t slash = name.rfind('/');
  for (const SummaryField& field : kSummaryFields) {
    if (slash == name.npos || name.substr(slash + 1) != field.name) continue;
    return {name, fmt::format("Validation {} of {}, %", field.name, name.substr(0, slash)), 100};
  }
  return {name, name};
}

// Returns the quantities that some run has logged: the known ones in their order, others by name.
std::vector<Quantity> logged_quantities(const std::vector<RunGroup>& groups) {
  std::set<std::string> names;
  for (const RunGroup& group : groups) {
    for (const TrainingRun* run : group.runs) {
      for (const auto& [name, curve] : run->curves) {
        if (has_loss(*run, name)) names.insert(name);
      }
    }
  }
  std::vector<Quantity> result;
  for (const Quantity& quantity : known_quantities()) {
    if (names.erase(quantity.name) > 0) result.push_back(quantity);
  }
  for (const std::string& name : names) result.push_back(other_quantity(name));
  return result;
}

// Averages a curve over neighbouring points until at most kMaxPoints are left.
std::vector<Point> points_of(const Curve& curve, double scale) {
  constexpr size_t kMaxPoints = 200;
  const size_t bucket = (curve.size() + kMaxPoints - 1) / kMaxPoints;
  std::vector<Point> points;
  for (auto at = curve.begin(); at != curve.end();) {
    Point sum{0, 0};
    size_t count = 0;
    for (; at != curve.end() && count < bucket; ++at, ++count) {
      sum.x += static_cast<double>(at->first);
      sum.y += at->second * scale;
    }
    const auto n = static_cast<double>(count);
    points.push_back({sum.x / n, sum.y / n});
  }
  return points;
}

std::vector<Line> lines_of(const std::vector<RunGroup>& groups, const Quantity& quantity) {
  std::vector<Line> lines;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const TrainingRun* run : groups[g].runs) {
      const auto curve = run->curves.find(quantity.name);
      if (curve == run->curves.end() || !has_loss(*run, quantity.name)) continue;
      lines.push_back({fmt::format("{}, seed {}", groups[g].name, run->record.seed), group_class(g),
                       points_of(curve->second, quantity.scale)});
    }
  }
  return lines;
}

// Holds a metric of the paper's Figure 5 with the colour class of its line.
struct GammaMetric {
  const char* name;
  double SegmentationMetrics::* field;
  size_t colour;
};
constexpr std::array<GammaMetric, 3> kGammaMetrics = {
    {{"mIoU(S)", &SegmentationMetrics::mean_iou_seen, 0},
     {"mIoU(U)", &SegmentationMetrics::mean_iou_unseen, 1},
     {"hIoU", &SegmentationMetrics::harmonic_iou, 2}}};

std::string gamma_chart(std::vector<SweepPoint> sweep) {
  // A logarithmic axis has no place for gamma = 0, a model without trusty loss.
  std::erase_if(sweep, [](const SweepPoint& point) { return point.value <= 0; });
  if (sweep.empty() || sweep.front().value == sweep.back().value) return "";
  std::vector<Line> lines;
  std::vector<double> gammas;
  std::string key;
  for (const auto& [name, field, colour] : kGammaMetrics) {
    Line line{name, group_class(colour), {}};
    for (const SweepPoint& point : sweep) {
      const Statistic& value = point.group->metric(field);
      if (value.count == 0) continue;
      line.points.push_back({point.value, 100 * value.mean, value.count > 1 ? 100 * value.std : 0});
      gammas.push_back(point.value);
    }
    if (line.points.empty()) continue;
    lines.push_back(std::move(line));
    key += fmt::format(R"(<span class="swatch {}"></span>{} )", group_class(colour), name);
  }
  if (lines.empty()) return "";
  std::ranges::sort(gammas);
  gammas.erase(std::unique(gammas.begin(), gammas.end()), gammas.end());
  const Chart chart(lines, {.logarithmic_x = true, .x_ticks = std::move(gammas)});
  return figure(key + "over gamma, %", chart.svg("mIoU over gamma"));
}

// The value of a class in the paper's Figure 6, as a mark on the bar and as a text behind it.
struct PaperMark {
  std::string mark, text;
};

PaperMark paper_mark(const RunGroup& group, const std::string& class_name) {
  const double iou = paper_class_iou(group.first().record.label, class_name);
  if (std::isnan(iou)) return {};
  return {fmt::format(R"(<b class="paper" style="left:{:.1f}%"></b>)", 100 * iou),
          fmt::format(" (paper {:.1f})", 100 * iou)};
}

std::string bar(const RunGroup& group, size_t index, size_t c) {
  const Statistic& iou = group.class_iou[c];
  const double width = iou.count == 0 ? 0 : 100 * iou.mean;
  std::string spread;
  if (iou.count > 1) {
    const double from = std::max(0.0, width - 100 * iou.std);
    const double to = std::min(100.0, width + 100 * iou.std);
    spread = fmt::format(R"(<i style="left:{:.2f}%;width:{:.2f}%"></i>)", from, to - from);
  }
  const PaperMark paper = paper_mark(group, group.first().record.data.classes[c]);
  return fmt::format(
      R"(<div class="track" title="{}"><div class="bar {}" style="width:{:.2f}%"></div>{}{}</div>)"
      R"(<span class="value">{}{}</span>)",
      escaped(group.name), group_class(index), width, spread, paper.mark, format_statistic(iou),
      paper.text);
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

std::string chart_grid(const std::string& charts) {
  return charts.empty() ? "" : "<div class=\"charts\">\n" + charts + "</div>\n";
}

}  // namespace

ChartAxis::ChartAxis(double low, double high, bool logarithmic)
    : low_(low), high_(high), logarithmic_(logarithmic && low > 0) {
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
  // Adding steps may leave something that is almost zero.
  return fmt::format("{:.3g}", std::abs(value) < 1e-12 ? 0 : value);
}

std::string curve_charts(const std::vector<RunGroup>& groups) {
  std::string charts;
  for (const Quantity& quantity : logged_quantities(groups)) {
    const std::vector<Line> lines = lines_of(groups, quantity);
    const Chart chart(lines, {.logarithmic_y = quantity.logarithmic});
    charts += figure(escaped(quantity.title), chart.svg(quantity.title));
  }
  return chart_grid(charts);
}

std::string gamma_charts(const std::vector<RunGroup>& groups) {
  std::string charts;
  for (const auto& sweep : sweeps_over("loss.trusty_weight", groups)) charts += gamma_chart(sweep);
  return chart_grid(charts);
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
