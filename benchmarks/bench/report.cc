#include "bench/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"

namespace tagclip::bench {
namespace {

using nlohmann::ordered_json;

constexpr double kGiB = 1 << 30, kMiB = 1 << 20;
constexpr const char* kReference = "  plain LibTorch";
constexpr const char* kUnsupported = "not on this processor: ";

// Writes a number to three digits, whole from 100 on.
std::string three_digits(double value) {
  return std::abs(value) < 100 ? fmt::format("{:.3g}", value) : fixed(value, 0);
}

// Writes "median (min to max)".
std::string range(const Spread& spread) {
  return fmt::format("{} ({} to {})", three_digits(spread.median), three_digits(spread.min),
                     three_digits(spread.max));
}

// Joins the cells of a line, padded to these widths, with nothing behind the last one.
std::string line(std::span<const std::string> cells, std::span<const size_t> widths) {
  TAGCLIP_CHECK(cells.size() == widths.size(), "a width for every cell");
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) text += fmt::format("{:<{}}", cells[i], widths[i]);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// Writes what stands above a table, with a line break at the end.
std::string describe(const Machine& machine) {
  std::vector<std::string> peaks;
  for (const auto& [precision, peak] : machine.peak_gemm) {
    peaks.push_back(fmt::format("{:.0f} in {}", peak / 1e9, precision));
  }
  std::string text = fmt::format("{}, {}, LibTorch {}\n", machine.cpu,
                                 counted(machine.threads, "thread"), machine.libtorch);
  if (peaks.empty()) return text;
  return fmt::format("{}peak GEMM, GFLOP/s: {}\n", text, fmt::join(peaks, ", "));
}

ordered_json json_of(const Machine& machine) {
  ordered_json json = {
      {"cpu", machine.cpu}, {"threads", machine.threads}, {"libtorch", machine.libtorch}};
  if (!machine.peak_gemm.empty()) json["peak_gemm_flops_per_second"] = machine.peak_gemm;
  return json;
}

ordered_json json_of(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

// Maps the names of stages to milliseconds.
ordered_json json_of(const std::vector<Stage>& stages) {
  auto json = ordered_json::object();
  for (const Stage& stage : stages) json[stage.name] = 1000 * stage.seconds;
  return json;
}

template <class Value>
ordered_json json_or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

// One of the two ways reaches this speed.
struct Speed {
  Spread ms;
  double photos_per_second = 0;
  double flops_per_second = 0;
  double share_of_peak = 0;
  std::optional<int64_t> peak_memory;
};

Speed speed_of(const std::vector<double>& seconds, std::optional<int64_t> peak_memory,
               const std::string& precision, const Measurement& measurement,
               const Machine& machine) {
  const double median = spread_of(seconds).median;
  const double flops_per_second = measurement.flops / median;
  return {.ms = milliseconds(seconds),
          .photos_per_second = static_cast<double>(measurement.photos) / median,
          .flops_per_second = flops_per_second,
          .share_of_peak = machine.share_of_peak(flops_per_second, precision),
          .peak_memory = peak_memory};
}

Speed speed_of_ours(const Measurement& m, const Machine& machine) {
  return speed_of(m.runs.ours, m.our_peak, m.precision, m, machine);
}

Speed speed_of_reference(const Measurement& m, const Machine& machine) {
  return speed_of(m.runs.reference, m.reference_peak, "float32", m, machine);
}

constexpr std::array<size_t, 8> kWidths = {26, 8, 8, 9, 9, 8, 8, 0};
using Row = std::array<std::string, kWidths.size()>;

Row row(const std::string& name, const Speed& speed, const std::string& speedup) {
  const bool has_gemm = speed.share_of_peak > 0;
  return {
      name,
      three_digits(speed.ms.min),
      three_digits(speed.ms.median),
      three_digits(speed.photos_per_second),
      speed.peak_memory ? three_digits(static_cast<double>(*speed.peak_memory) / kGiB) : "-",
      has_gemm ? three_digits(speed.flops_per_second / 1e9) : "-",
      has_gemm ? percent(speed.share_of_peak, 0) + "%" : "-",
      speedup,
  };
}

std::string details(const Measurement& m) {
  std::string text = fmt::format("  {} each of {}", counted(std::ssize(m.runs.ours), "run"),
                                 counted(m.photos, "photo"));
  if (m.flops > 0) text += fmt::format(", {:.0f} GFLOP", m.flops / 1e9);
  if (m.memory_ratio()) {
    text += "; memory, plain LibTorch / ours: " + three_digits(*m.memory_ratio());
  }
  text += "\n  differences:";
  for (const Difference& d : m.differences) {
    text += fmt::format(" {} {:.1e}", d.name, d.value);
    if (!(d.value <= d.limit)) text += fmt::format(" (past {:.0e})", d.limit);
  }
  if (m.stages.empty()) return text;
  text += "\n  ours, ms:";
  for (const Stage& stage : m.stages) {
    text += fmt::format(" {} {:.1f}", stage.name, 1000 * stage.seconds);
  }
  if (!m.other_words.ours.empty()) {
    text += fmt::format("\n  other words on the kept encoding: {} ms, {} times faster",
                        range(milliseconds(m.other_words.ours)), range(m.other_words.speedup()));
  }
  return text;
}

ordered_json json_of(const Speed& speed) {
  return {{"ms", json_of(speed.ms)},
          {"images_per_second", speed.photos_per_second},
          {"flops_per_second", speed.flops_per_second},
          {"share_of_peak_gemm", speed.share_of_peak},
          {"peak_bytes", json_or_null(speed.peak_memory)}};
}

ordered_json json_of(const Measurement& m, const Machine& machine) {
  auto differences = ordered_json::object();
  for (const Difference& d : m.differences) {
    differences[d.name] = {{"value", d.value}, {"limit", d.limit}};
  }
  ordered_json other_words, other_words_speedup;  // null where not measured
  if (!m.other_words.ours.empty()) {
    other_words = json_of(milliseconds(m.other_words.ours));
    other_words_speedup = json_of(m.other_words.speedup());
  }
  return {{"name", m.name()},
          {"model", m.workload},
          {"task", m.task},
          {"precision", m.precision},
          {"images", m.photos},
          {"flops", m.flops},
          {"runs", m.runs.ours.size()},
          {"ours", json_of(speed_of_ours(m, machine))},
          {"reference", json_of(speed_of_reference(m, machine))},
          {"speedup", json_of(m.runs.speedup())},
          {"memory_ratio", json_or_null(m.memory_ratio())},
          {"other_words_ms", other_words},
          {"other_words_speedup", other_words_speedup},
          {"stages_ms", json_of(m.stages)},
          {"differences", std::move(differences)},
          {"agrees", m.agrees()}};
}

constexpr std::array<size_t, 4> kTokenWidths = {30, 24, 24, 0};
using TokenRow = std::array<std::string, kTokenWidths.size()>;

// Writes a count with and without the token, and what the token adds, also in per cent.
std::string count_row(const std::string& name, int64_t with, int64_t without) {
  const double share = static_cast<double>(with - without) / static_cast<double>(without);
  const TokenRow cells = {name, fmt::format("{}", with), fmt::format("{}", without),
                          fmt::format("{} ({}%)", with - without, percent(share, 4))};
  return line(cells, kTokenWidths);
}

std::string time_row(const std::string& workload, const TokenCost::Task& task) {
  const TokenRow cells = {
      fmt::format("{} {}, ms", workload, task.name), range(milliseconds(task.runs.ours)),
      range(milliseconds(task.runs.reference)), range(in_milliseconds(task.runs.added_seconds()))};
  return line(cells, kTokenWidths);
}

constexpr std::array<size_t, 6> kModesWidths = {22, 9, 9, 16, 18, 0};
using ModesRow = std::array<std::string, kModesWidths.size()>;

constexpr std::array<size_t, 8> kScalingWidths = {9, 12, 9, 9, 9, 10, 8, 0};
using ScalingRow = std::array<std::string, kScalingWidths.size()>;

double photos_per_second(const ScalingPoint& point) {
  return static_cast<double>(point.photos) / spread_of(point.seconds).median;
}

const char* name_of(GemmBackend backend) {
  switch (backend) {
    case GemmBackend::kBlocks:
      return "blocks";
    case GemmBackend::kMatmul:
      return "oneDNN matmul";
  }
  TAGCLIP_CHECK(false, "not a GemmBackend");
}

}  // namespace

// --- Ours beside plain LibTorch ---

std::string table_head(const Machine& machine) {
  const Row head = {"",         "ms min",  "median",  "images/s",
                    "peak GiB", "GFLOP/s", "of GEMM", "speedup"};
  return describe(machine) + "\n" + line(head, kWidths);
}

std::string table_rows(const Measurement& m, const Machine& machine) {
  return fmt::format(
      "{}\n{}\n{}",
      line(row(m.name(), speed_of_ours(m, machine), range(m.runs.speedup())), kWidths),
      line(row(kReference, speed_of_reference(m, machine), ""), kWidths), details(m));
}

std::string table_row(const UnsupportedRow& row) {
  return fmt::format("{:<{}}{}{}", row.name, kWidths[0], kUnsupported, row.reason);
}

std::string to_json(const Machine& machine, const std::vector<Measurement>& measurements,
                    const std::vector<UnsupportedRow>& unsupported) {
  auto measured = ordered_json::array(), missing = ordered_json::array();
  for (const Measurement& m : measurements) measured.push_back(json_of(m, machine));
  for (const UnsupportedRow& row : unsupported) {
    missing.push_back({{"name", row.name}, {"reason", row.reason}});
  }
  const ordered_json report = {{"machine", json_of(machine)},
                               {"measurements", std::move(measured)},
                               {"not_on_this_processor", std::move(missing)}};
  return json_text(report, 2);
}

// --- The trusty token ---

std::string token_cost_head(const Machine& machine) {
  const TokenRow head = {"", "with the trusty token", "without", "added"};
  return describe(machine) + "\n" + line(head, kTokenWidths);
}

std::string token_cost_rows(const TokenCost& cost) {
  std::vector<std::string> rows = {
      count_row(cost.workload + " trained parameters", cost.with.trained, cost.without.trained),
      count_row(cost.workload + " all parameters", cost.with.all, cost.without.all)};
  for (const TokenCost::Task& task : cost.tasks) rows.push_back(time_row(cost.workload, task));
  return fmt::format("{}", fmt::join(rows, "\n"));
}

std::string to_json(const Machine& machine, const std::vector<TokenCost>& costs) {
  const auto count = [](int64_t with, int64_t without) -> ordered_json {
    return {{"with", with}, {"without", without}, {"added", with - without}};
  };
  auto list = ordered_json::array();
  for (const TokenCost& cost : costs) {
    auto tasks = ordered_json::array();
    for (const auto& [name, runs] : cost.tasks) {
      tasks.push_back({{"task", name},
                       {"runs", runs.ours.size()},
                       {"with_ms", json_of(milliseconds(runs.ours))},
                       {"without_ms", json_of(milliseconds(runs.reference))},
                       {"added_ms", json_of(in_milliseconds(runs.added_seconds()))}});
    }
    list.push_back({{"model", cost.workload},
                    {"trained_parameters", count(cost.with.trained, cost.without.trained)},
                    {"all_parameters", count(cost.with.all, cost.without.all)},
                    {"tasks", std::move(tasks)}});
  }
  const ordered_json report = {{"machine", json_of(machine)}, {"trusty_token", std::move(list)}};
  return json_text(report, 2);
}

// --- Ours by size ---

std::string modes_head(const Machine& machine, const std::string& precision) {
  const ModesRow head = {"mode (" + precision + ")", "ms min",       "median",
                         "times of sclip",           "(min to max)", "ms of which"};
  return describe(machine) + "\n" + line(head, kModesWidths);
}

std::string modes_row(const ModeSpeed& speed) {
  const Spread ms = milliseconds(speed.runs.ours);
  const Spread faster = speed.runs.speedup();
  std::vector<std::string> stages;
  for (const Stage& stage : speed.stages) {
    stages.push_back(stage.name + " " + three_digits(1000 * stage.seconds));
  }
  const ModesRow cells = {
      speed.name,
      three_digits(ms.min),
      three_digits(ms.median),
      three_digits(1 / faster.median),
      fmt::format("({} to {})", three_digits(1 / faster.max), three_digits(1 / faster.min)),
      fmt::format("{}", fmt::join(stages, ", "))};
  return line(cells, kModesWidths);
}

std::string to_json(const Machine& machine, const std::vector<ModeSpeed>& speeds) {
  auto list = ordered_json::array();
  for (const ModeSpeed& speed : speeds) {
    list.push_back({{"mode", speed.name},
                    {"runs", speed.runs.ours.size()},
                    {"ms", json_of(milliseconds(speed.runs.ours))},
                    {"sclip_ms", json_of(milliseconds(speed.runs.reference))},
                    {"times_faster_than_sclip", json_of(speed.runs.speedup())}});
  }
  const ordered_json report = {{"machine", json_of(machine)}, {"modes", std::move(list)}};
  return json_text(report, 2);
}

std::string scaling_head(const Machine& machine, const std::string& variable) {
  const ScalingRow head = {variable,  "task",     "ms min", "median",
                           "core ms", "images/s", "MiB",    "ms of which"};
  return describe(machine) + "\n" + line(head, kScalingWidths);
}

std::string scaling_row(const ScalingPoint& point) {
  const Spread ms = milliseconds(point.seconds);
  std::vector<std::string> stages;
  for (const Stage& stage : point.stages) {
    stages.push_back(stage.name + " " + three_digits(1000 * stage.seconds));
  }
  const ScalingRow cells = {
      std::to_string(point.value),
      point.task,
      three_digits(ms.min),
      three_digits(ms.median),
      three_digits(milliseconds(point.core_seconds).min),
      three_digits(photos_per_second(point)),
      point.peak ? three_digits(static_cast<double>(*point.peak) / kMiB) : "-",
      fmt::format("{}", fmt::join(stages, ", "))};
  return line(cells, kScalingWidths);
}

std::string to_json(const Machine& machine, const std::string& variable,
                    const std::vector<ScalingPoint>& points) {
  auto list = ordered_json::array();
  for (const ScalingPoint& point : points) {
    list.push_back({{variable, point.value},
                    {"task", point.task},
                    {"images", point.photos},
                    {"runs", point.seconds.size()},
                    {"ms", json_of(milliseconds(point.seconds))},
                    {"core_ms", milliseconds(point.core_seconds).min},
                    {"images_per_second", photos_per_second(point)},
                    {"peak_bytes", json_or_null(point.peak)},
                    {"stages_ms", json_of(point.stages)}});
  }
  const ordered_json report = {
      {"machine", json_of(machine)}, {"by", variable}, {"points", std::move(list)}};
  return json_text(report, 2);
}

// --- For scripts ---

std::string table_rows(const LoaderSpeed& speed) {
  std::vector<std::string> stages;
  for (const Stage& stage : speed.stages) {
    stages.push_back(stage.name + " " + fixed(1000 * stage.seconds, 2));
  }
  return fmt::format("loader: {:.1f} samples/s per core, of {}; ms per sample: {}",
                     speed.samples_per_second(), speed.samples, fmt::join(stages, ", "));
}

std::string to_json(const LoaderSpeed& speed) {
  const ordered_json report = {{"samples", speed.samples},
                               {"samples_per_second", speed.samples_per_second()},
                               {"stages_ms", json_of(speed.stages)}};
  return json_text(report, 2);
}

std::string to_json(const TimedRun& run) {
  const ordered_json line = {{"ms", 1000 * run.seconds},
                             {"prepare", 1000 * run.stages.prepare},
                             {"encode", 1000 * run.stages.encode},
                             {"decode", 1000 * run.stages.decode},
                             {"blend", 1000 * run.stages.blend}};
  return json_text(line);
}

// --- Precisions ---

std::string precisions_table(const Machine& machine) {
  std::string text = describe(machine);
  for (const GemmPrecision precision : kGemmPrecisions) {
    const GemmSupport& support = gemm_support(precision);
    text +=
        fmt::format("\n{:<12}{}", tagclip::name_of(precision),
                    support.backend ? name_of(*support.backend) : kUnsupported + support.reason);
  }
  return text;
}

std::string precisions_json(const Machine& machine) {
  auto list = ordered_json::array();
  for (const GemmPrecision precision : kGemmPrecisions) {
    const GemmSupport& support = gemm_support(precision);
    ordered_json row = {{"precision", tagclip::name_of(precision)}};
    if (support.backend) {
      row["backend"] = name_of(*support.backend);
    } else {
      row["not_on_this_processor"] = support.reason;
    }
    list.push_back(std::move(row));
  }
  const ordered_json report = {{"machine", json_of(machine)}, {"precisions", std::move(list)}};
  return json_text(report, 2);
}

}  // namespace tagclip::bench
