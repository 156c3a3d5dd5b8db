#include "bench/report.h"

#include <c10/util/StringUtil.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace tagclip {
namespace {

std::string formatted(const char* format, double value) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string range(const Spread& spread, const char* format) {
  return c10::str(formatted(format, spread.median), " (", formatted(format, spread.min), " to ",
                  formatted(format, spread.max), ")");
}

Spread milliseconds(const std::vector<double>& seconds) {
  const Spread spread = spread_of(seconds);
  return {1000 * spread.min, 1000 * spread.median, 1000 * spread.max};
}

// What a way to compute reaches.
struct Speed {
  Spread ms;
  double photos_per_second = 0;
  double share = 0;  // of the ceiling
  std::optional<int64_t> peak;
};

Speed speed_of(const std::vector<double>& seconds, std::optional<int64_t> peak,
               const Measurement& measurement, const Machine& machine) {
  const double median = spread_of(seconds).median;
  return {.ms = milliseconds(seconds),
          .photos_per_second = static_cast<double>(measurement.photos) / median,
          .share = measurement.flops / median / machine.ceiling,
          .peak = peak};
}

using Row = std::array<std::string, 7>;

std::string line(const Row& cells) {
  constexpr std::array<size_t, 7> kWidths = {17, 7, 26, 10, 10, 9, 0};
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) {
    text += cells[i];
    if (cells[i].size() < kWidths[i]) text.append(kWidths[i] - cells[i].size(), ' ');
  }
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

Row row(const std::string& name, const char* way, const Speed& speed, const std::string& ratio) {
  constexpr double kGiB = 1 << 30;
  return {name,
          way,
          range(speed.ms, "%.0f"),
          formatted("%.2f", speed.photos_per_second),
          speed.peak ? formatted("%.2f", static_cast<double>(*speed.peak) / kGiB) : "-",
          speed.share > 0 ? formatted("%.0f%%", 100 * speed.share) : "-",
          ratio};
}

std::string details(const Measurement& measurement) {
  std::string text = c10::str("  ", measurement.runs.ours.size(), " runs each of ",
                              measurement.photos, measurement.photos == 1 ? " photo" : " photos");
  if (measurement.flops > 0) text += formatted(", %.0f GFLOP", measurement.flops / 1e9);
  text += "; differences:";
  for (const Difference& d : measurement.differences) {
    text += c10::str(" ", d.name, formatted(" %.1e", d.value));
    if (!(d.value <= d.limit)) text += formatted(" (past %.0e)", d.limit);
  }
  if (measurement.stages.empty()) return text;
  text += "\n  ours, ms:";
  for (const Stage& stage : measurement.stages) {
    text += c10::str(" ", stage.name, formatted(" %.1f", 1000 * stage.seconds));
  }
  if (!measurement.other_words.ours.empty()) {
    text += c10::str("\n  other words on the kept encoding: ",
                     range(milliseconds(measurement.other_words.ours), "%.0f"), " ms, ",
                     range(measurement.other_words.ratio(), "%.1f"), " times faster");
  }
  return text;
}

nlohmann::ordered_json json_of(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

nlohmann::ordered_json json_of(const Speed& speed) {
  nlohmann::ordered_json json = {{"ms", json_of(speed.ms)},
                                 {"images_per_second", speed.photos_per_second},
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
  return {{"model", m.workload},
          {"task", m.task},
          {"images", m.photos},
          {"flops", m.flops},
          {"runs", m.runs.ours.size()},
          {"ours", json_of(speed_of(m.runs.ours, m.our_peak, m, machine))},
          {"plain", json_of(speed_of(m.runs.plain, m.plain_peak, m, machine))},
          {"plain_over_ours", json_of(m.runs.ratio())},
          {"other_words_ms", other_words},
          {"whole_over_other_words", other_words_ratio},
          {"stages_ms", std::move(stages)},
          {"differences", std::move(differences)},
          {"agrees", m.agrees()}};
}

}  // namespace

std::string table_head(const Machine& machine) {
  return c10::str(machine.cpu, ", ", machine.threads, machine.threads == 1 ? " thread" : " threads",
                  ", LibTorch ", machine.libtorch, "\nfloat32 matrix products reach ",
                  formatted("%.0f", machine.ceiling / 1e9), " GFLOP/s: the ceiling\n",
                  "ViT-B/16 at 512 x 512, random weights, float32; ms: median (min to max)\n\n",
                  line({"", "", "ms", "images/s", "peak GiB", "ceiling", "plain / ours"}));
}

std::string table_rows(const Measurement& m, const Machine& machine) {
  return c10::str(
      line(row(m.workload + " " + m.task, "ours", speed_of(m.runs.ours, m.our_peak, m, machine),
               range(m.runs.ratio(), "%.2f"))),
      "\n", line(row("", "plain", speed_of(m.runs.plain, m.plain_peak, m, machine), "")), "\n",
      details(m));
}

std::string to_json(const Machine& machine, const std::vector<Measurement>& measurements) {
  auto list = nlohmann::ordered_json::array();
  for (const Measurement& measurement : measurements) list.push_back(json_of(measurement, machine));
  const nlohmann::ordered_json report = {{"machine",
                                          {{"cpu", machine.cpu},
                                           {"threads", machine.threads},
                                           {"libtorch", machine.libtorch},
                                           {"ceiling_flops_per_second", machine.ceiling}}},
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

}  // namespace tagclip
