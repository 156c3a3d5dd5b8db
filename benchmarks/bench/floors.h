#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/measurement.h"

namespace tagclip::bench {

// These ratios to plain LibTorch have to be kept, by Measurement::name().
struct Floors {
  double noise = 0;                      // share of a floor that a ratio may lack
  std::map<std::string, double> speed;   // the reference's seconds over ours, median of the pairs
  std::map<std::string, double> memory;  // the reference's peak over ours
};

// Reads a TOML file: `noise`, and tables [speed] and [memory] of rows and their ratios. Throws
// Error(kBadInput) where it holds anything else, or a row that is none of `rows` and so would never
// be compared.
Floors read_floors(const std::filesystem::path& path, const std::vector<std::string>& rows);

// Returns a sentence for each ratio that is under its floor by more than the noise, or has a floor
// and could not be measured. A row without a floor may have any ratio.
std::vector<std::string> below(const Floors& floors, const std::vector<Measurement>& measurements);

}  // namespace tagclip::bench
