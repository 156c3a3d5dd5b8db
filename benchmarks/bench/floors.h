#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/measurement.h"

namespace tagclip::bench {

// How much faster, and smaller, than plain LibTorch we have to stay; by Measurement::name().
struct Floors {
  double noise = 0;                      // share of a floor that a ratio may lack
  std::map<std::string, double> speed;   // plain's seconds over ours, median of the pairs
  std::map<std::string, double> memory;  // plain's peak over ours
};

// A TOML file: `noise`, and tables [speed] and [memory] of rows and their ratios. Throws
// Error(kBadInput) where it holds anything else, or a row that is none of `rows`: it would never be
// held.
Floors read_floors(const std::filesystem::path& path, const std::vector<std::string>& rows);

// A sentence for each ratio that is under its floor by more than the noise, or should have one and
// could not be measured. What has no floor may be anything.
std::vector<std::string> below(const Floors& floors, const std::vector<Measurement>& measurements);

}  // namespace tagclip::bench
