#include <c10/util/StringUtil.h>

#include <array>
#include <nlohmann/json.hpp>

#include "bench/format.h"
#include "bench/machine_report.h"
#include "bench/scaling.h"

namespace tagclip::bench {
namespace {

constexpr std::array<size_t, 8> kWidths = {9, 12, 9, 9, 9, 10, 8, 0};
using Row = std::array<std::string, kWidths.size()>;
constexpr double kMiB = 1 << 20;

double photos_per_second(const ScalingPoint& point) {
  return static_cast<double>(point.photos) / spread_of(point.seconds).median;
}

}  // namespace

std::string scaling_head(const Machine& machine, const std::string& variable) {
  const Row head = {variable,  "task",     "ms min", "median",
                    "core ms", "images/s", "MiB",    "ms of which"};
  return describe(machine) + "\n" + line(head, kWidths);
}

std::string scaling_row(const ScalingPoint& point) {
  const Spread ms = milliseconds(point.seconds);
  std::string stages;
  for (const Stage& stage : point.stages) {
    if (!stages.empty()) stages += ", ";
    stages += stage.name + " " + rounded(1000 * stage.seconds);
  }
  const Row row = {std::to_string(point.value),
                   point.task,
                   rounded(ms.min),
                   rounded(ms.median),
                   rounded(milliseconds(point.core_seconds).min),
                   rounded(photos_per_second(point)),
                   point.peak ? rounded(static_cast<double>(*point.peak) / kMiB) : "-",
                   stages};
  return line(row, kWidths);
}

std::string to_json(const Machine& machine, const std::string& variable,
                    const std::vector<ScalingPoint>& points) {
  auto list = nlohmann::ordered_json::array();
  for (const ScalingPoint& point : points) {
    const Spread ms = milliseconds(point.seconds);
    nlohmann::ordered_json peak;  // null where not measured
    if (point.peak) peak = *point.peak;
    auto stages = nlohmann::ordered_json::object();
    for (const Stage& stage : point.stages) stages[stage.name] = 1000 * stage.seconds;
    list.push_back({{variable, point.value},
                    {"task", point.task},
                    {"images", point.photos},
                    {"runs", point.seconds.size()},
                    {"ms", {{"min", ms.min}, {"median", ms.median}, {"max", ms.max}}},
                    {"core_ms", milliseconds(point.core_seconds).min},
                    {"images_per_second", photos_per_second(point)},
                    {"peak_bytes", peak},
                    {"stages_ms", stages}});
  }
  const nlohmann::ordered_json report = {
      {"machine", json_of(machine)}, {"by", variable}, {"points", std::move(list)}};
  return report.dump(2);
}

}  // namespace tagclip::bench
