#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace tagclip {

// Checks of option values, whose messages tell what was expected and what was found.
CLI::Validator one_of(std::vector<std::string> words);
CLI::Validator whole_number(int64_t low, int64_t high);  // inclusive
CLI::Validator number(double low, double high);          // inclusive
CLI::Validator not_empty();

}  // namespace tagclip
