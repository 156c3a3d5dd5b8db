#include "runs/training_curves.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "io/bounded_json.h"
#include "io/file_bytes.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "iteration";
constexpr size_t kMaxCurves = 64;

std::optional<int64_t> iteration_of(const nlohmann::json& entry) {
  if (!entry.is_object()) return {};
  const auto found = entry.find(kIteration);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (found == entry.end() || !found->is_number_unsigned() || found->get<uint64_t>() > kMax) {
    return {};
  }
  return found->get<int64_t>();
}

// False when the line is no entry of a log.
bool add_line(std::string_view line, TrainingCurves& curves) {
  const nlohmann::json entry = parse_bounded_json(line).value_or(nlohmann::json());
  const std::optional<int64_t> iteration = iteration_of(entry);
  if (!iteration) return false;
  for (const auto& [name, value] : entry.items()) {
    // Beyond a float32 no trainer counts, and the axes of charts could not either.
    const double number = value.is_number() ? value.get<double>() : NAN;
    if (name == kIteration || !(std::abs(number) <= std::numeric_limits<float>::max())) continue;
    curves[name][*iteration] = number;
  }
  return true;
}

}  // namespace

TrainingCurves read_training_curves(const std::filesystem::path& path) {
  constexpr uint64_t kMaxBytes = 32 << 20;
  const std::string log = read_text(path, kMaxBytes);
  TrainingCurves curves;
  size_t line = 1;
  for (size_t at = 0, end; (end = log.find('\n', at)) != log.npos; at = end + 1, ++line) {
    if (!add_line(std::string_view(log).substr(at, end - at), curves)) {
      throw bad_input(
          fmt::format("{}:{}: expected a JSON object with an iteration", path.string(), line),
          "only the log of a training run can be reported");
    }
    if (curves.size() > kMaxCurves) {
      throw bad_input(fmt::format("{}:{}: expected at most {} quantities in a log", path.string(),
                                  line, kMaxCurves));
    }
  }
  return curves;
}

}  // namespace tagclip
