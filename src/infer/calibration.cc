#include "infer/calibration.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "infer/options.h"

namespace tagclip {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxBytes = 1 << 20;
constexpr const char* kCalibrateAgain =
    "measure it again with tagclip eval --calibrate, or remove the file";

// The entry of a model that is loaded in a mode.
const std::string& entry_of(Mode mode) {
  TAGCLIP_CHECK(mode != Mode::kAuto, "the mode of a model that is loaded");
  return name_of(kModeNames, mode == Mode::kClip ? Mode::kScClip : mode);
}

ordered_json read_file(const std::filesystem::path& file) {
  if (!path_exists(file)) return ordered_json::object();
  const auto json = parse_bounded_json(read_text(file, kMaxBytes));
  if (!json || !json->is_object()) {
    throw bad_input(file.string() + ": not a calibration of scores", kCalibrateAgain);
  }
  return ordered_json(*json);
}

double temperature(const ordered_json& entry, const char* name, const std::filesystem::path& file) {
  const auto found = entry.find(name);
  if (found != entry.end() && found->is_number()) {
    const double value = found->get<double>();
    if (value >= 0.01 && value <= 100) return value;
  }
  throw bad_input(
      fmt::format("{}: `{}` is no temperature between 0.01 and 100", file.string(), name),
      kCalibrateAgain);
}

}  // namespace

std::filesystem::path calibration_file(const std::filesystem::path& weights) {
  return std::filesystem::path(weights).replace_extension(".calibration.json");
}

std::optional<Calibration> read_calibration(const std::filesystem::path& weights, Mode mode) {
  const std::filesystem::path file = calibration_file(weights);
  const ordered_json all = read_file(file);
  const auto entry = all.find(entry_of(mode));
  if (entry == all.end()) return {};
  if (!entry->is_object()) {
    throw bad_input(fmt::format("{}: `{}` is no calibration", file.string(), entry_of(mode)),
                    kCalibrateAgain);
  }
  return Calibration{temperature(*entry, "seen", file), temperature(*entry, "novel", file)};
}

void write_calibration(const std::filesystem::path& weights, Mode mode, const Calibration& found,
                       const std::string& measured_on) {
  const std::filesystem::path file = calibration_file(weights);
  ordered_json all = read_file(file);
  all[entry_of(mode)] = {
      {"seen", found.seen}, {"novel", found.novel}, {"measured_on", measured_on}};
  write_file(file, json_text(all, 2) + "\n");
}

}  // namespace tagclip
