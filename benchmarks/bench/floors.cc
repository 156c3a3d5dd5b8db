#include "bench/floors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/config_file.h"
#include "base/error.h"
#include "base/text.h"

namespace tagclip::bench {
namespace {

double number(const FieldValue& value, const std::string& where) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  throw bad_input(where + ": expected a number, found " + to_string(value));
}

// Adds a sentence where the ratio of a row is under its floor.
void compare(const std::string& what, std::optional<double> ratio, double floor, double noise,
             std::vector<std::string>& sentences) {
  if (!ratio) {
    sentences.push_back(what + " could not be measured, so its floor is not held");
  } else if (!(*ratio >= floor * (1 - noise))) {  // a NaN is no ratio
    sentences.push_back(
        fmt::format("{}: plain LibTorch / ours is {:.3g}, its floor {:.3g} less noise of {}%", what,
                    *ratio, floor, percent(noise, 0)));
  }
}

}  // namespace

Floors read_floors(const std::filesystem::path& path, const std::vector<std::string>& rows) {
  Floors floors;
  for (const auto& [name, value] : read_settings(path)) {
    const std::string where = path.string() + ": " + name;
    const size_t dot = name.find('.');
    const std::string table = name.substr(0, dot);
    if (name == "noise") {
      floors.noise = number(value, where);
      continue;
    }
    if (dot == std::string::npos || (table != "speed" && table != "memory")) {
      throw bad_input(where + ": not a setting of floors",
                      "noise, and rows in the tables [speed] and [memory]");
    }
    const std::string row = name.substr(dot + 1);
    if (std::ranges::find(rows, row) == rows.end()) {
      throw bad_input(fmt::format("{}: bench has no row called {}", path.string(), row),
                      fmt::format("one of {}", fmt::join(rows, ", ")));
    }
    (table == "speed" ? floors.speed : floors.memory)[row] = number(value, where);
  }
  if (!(floors.noise >= 0 && floors.noise < 1)) {
    throw bad_input(path.string() + ": noise: expected a number from 0 to below 1");
  }
  return floors;
}

std::vector<std::string> below(const Floors& floors, const std::vector<Measurement>& measurements) {
  std::vector<std::string> sentences;
  for (const Measurement& m : measurements) {
    if (const auto floor = floors.speed.find(m.name()); floor != floors.speed.end()) {
      compare("speed of " + m.name(), m.runs.speedup().median, floor->second, floors.noise,
              sentences);
    }
    if (const auto floor = floors.memory.find(m.name()); floor != floors.memory.end()) {
      compare("memory of " + m.name(), m.memory_ratio(), floor->second, floors.noise, sentences);
    }
  }
  return sentences;
}

}  // namespace tagclip::bench
