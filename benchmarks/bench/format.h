#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/paired_runs.h"

namespace tagclip::bench {

// A number as printf prints it.
std::string formatted(const char* format, double value);

// To three digits, whole from 100 on.
std::string rounded(double value);

// "median (min to max)"
std::string range(const Spread& spread);

Spread milliseconds(const std::vector<double>& seconds);

// A line of a table: cells padded to these widths, nothing behind the last one.
std::string line(std::span<const std::string> cells, std::span<const size_t> widths);

}  // namespace tagclip::bench
