#include "bench/report.h"

#include <c10/util/StringUtil.h>

#include <array>
#include <nlohmann/json.hpp>

#include "bench/format.h"
#include "bench/machine_report.h"

namespace tagclip::bench {
namespace {

constexpr double kGiB = 1 << 30;

// What a way to compute reaches.
struct Speed {
  Spread ms;
  double photos_per_second = 0;
  double flops_per_second = 0;
  double share = 0;  // of the ceiling
  std::optional<int64_t> peak;
};

Speed speed_of(const std::vector<double>& seconds, std::optional<int64_t> peak,
               const std::string& precision, const Measurement& measurement,
               const Machine& machine) {
  const double median = spread_of(seconds).median;
  const double flops_per_second = measurement.flops / median;
  return {.ms = milliseconds(seconds),
          .photos_per_second = static_cast<double>(measurement.photos) / median,
          .flops_per_second = flops_per_second,
          .share = machine.share(flops_per_second, precision),
          .peak = peak};
}

Speed speed_of_ours(const Measurement& m, const Machine& machine) {
  return speed_of(m.runs.ours, m.our_peak, m.precision, m, machine);
}

Speed speed_of_plain(const Measurement& m, const Machine& machine) {
  return speed_of(m.runs.plain, m.plain_peak, "float32", m, machine);
}

constexpr std::array<size_t, 9> kWidths = {25, 6, 8, 8, 9, 9, 8, 8, 0};
using Row = std::array<std::string, kWidths.size()>;

Row row(const std::string& name, const char* way, const Speed& speed, const std::string& ratio) {
  return {name,
          way,
          rounded(speed.ms.min),
          rounded(speed.ms.median),
          rounded(speed.photos_per_second),
          speed.peak ? rounded(static_cast<double>(*speed.peak) / kGiB) : "-",
          speed.share > 0 ? rounded(speed.flops_per_second / 1e9) : "-",
          speed.share > 0 ? formatted("%.0f%%", 100 * speed.share) : "-",
          ratio};
}

std::string details(const Measurement& m) {
  std::string text = c10::str("  ", m.runs.ours.size(), " runs each of ", m.photos,
                              m.photos == 1 ? " photo" : " photos");
  if (m.flops > 0) text += formatted(", %.0f GFLOP", m.flops / 1e9);
  if (m.memory_ratio()) text += "; memory, plain / ours: " + rounded(*m.memory_ratio());
  text += "\n  differences:";
  for (const Difference& d : m.differences) {
    text += c10::str(" ", d.name, formatted(" %.1e", d.value));
    if (!(d.value <= d.limit)) text += formatted(" (past %.0e)", d.limit);
  }
  if (m.stages.empty()) return text;
  text += "\n  ours, ms:";
  for (const Stage& stage : m.stages) {
    text += c10::str(" ", stage.name, formatted(" %.1f", 1000 * stage.seconds));
  }
  if (!m.other_words.ours.empty()) {
    text +=
        c10::str("\n  other words on the kept encoding: ", range(milliseconds(m.other_words.ours)),
                 " ms, ", range(m.other_words.ratio()), " times faster");
  }
  return text;
}

nlohmann::ordered_json json_of(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

nlohmann::ordered_json json_of(const Speed& speed) {
  nlohmann::ordered_json json = {{"ms", json_of(speed.ms)},
                                 {"images_per_second", speed.photos_per_second},
                                 {"flops_per_second", speed.flops_per_second},
                                 {"share_of_ceiling", speed.share},
                                 {"peak_bytes", nullptr}};
  if (speed.peak) json["peak_bytes"] = *speed.peak;
  return json;
}

nlohmann::ordered_json json_of(const Measurement& m, const Machine& machine) {
  auto stages = nlohmann::ordered_json::object(), differences = nlohmann::ordered_json::object();
  for (const Stage& stage : m.stages) stages[stage.name] = 1000 * stage.seconds;
  for (const Difference& d : m.differences)
    differences[d.name] = {{"value", d.value}, {"limit", d.limit}};
  nlohmann::ordered_json other_words, other_words_ratio;  // null where not measured
  if (!m.other_words.ours.empty()) {
    other_words = json_of(milliseconds(m.other_words.ours));
    other_words_ratio = json_of(m.other_words.ratio());
  }
  nlohmann::ordered_json memory_ratio;
  if (m.memory_ratio()) memory_ratio = *m.memory_ratio();
  return {{"name", m.name()},
          {"model", m.workload},
          {"task", m.task},
          {"precision", m.precision},
          {"images", m.photos},
          {"flops", m.flops},
          {"runs", m.runs.ours.size()},
          {"ours", json_of(speed_of_ours(m, machine))},
          {"plain", json_of(speed_of_plain(m, machine))},
          {"plain_over_ours", json_of(m.runs.ratio())},
          {"plain_over_ours_peak", memory_ratio},
          {"other_words_ms", other_words},
          {"whole_over_other_words", other_words_ratio},
          {"stages_ms", std::move(stages)},
          {"differences", std::move(differences)},
          {"agrees", m.agrees()}};
}

}  // namespace

std::string table_head(const Machine& machine) {
  const Row head = {"",         "",        "ms min",  "median",      "images/s",
                    "peak GiB", "GFLOP/s", "ceiling", "plain / ours"};
  return describe(machine) + "\n" + line(head, kWidths);
}

std::string table_rows(const Measurement& m, const Machine& machine) {
  return c10::str(
      line(row(m.name(), "ours", speed_of_ours(m, machine), range(m.runs.ratio())), kWidths), "\n",
      line(row("", "plain", speed_of_plain(m, machine), ""), kWidths), "\n", details(m));
}

std::string to_json(const Machine& machine, const std::vector<Measurement>& measurements) {
  auto list = nlohmann::ordered_json::array();
  for (const Measurement& measurement : measurements) list.push_back(json_of(measurement, machine));
  const nlohmann::ordered_json report = {{"machine", json_of(machine)},
                                         {"measurements", std::move(list)}};
  return report.dump(2);
}

std::string table_rows(const LoaderSpeed& speed) {
  std::string text = c10::str("loader: ", formatted("%.1f", speed.samples_per_second()),
                              " samples/s a core, of ", speed.samples, "; ms a sample: ");
  for (const Stage& stage : speed.stages) {
    if (&stage != &speed.stages.front()) text += ", ";
    text += c10::str(stage.name, formatted(" %.2f", 1000 * stage.seconds));
  }
  return text;
}

std::string to_json(const LoaderSpeed& speed) {
  auto stages = nlohmann::ordered_json::object();
  for (const Stage& stage : speed.stages) stages[stage.name] = 1000 * stage.seconds;
  const nlohmann::ordered_json report = {{"samples", speed.samples},
                                         {"samples_per_second", speed.samples_per_second()},
                                         {"stages_ms", std::move(stages)}};
  return report.dump(2);
}

}  // namespace tagclip::bench
