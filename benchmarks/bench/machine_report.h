#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/machine.h"

namespace tagclip::bench {

// What stands above a table, with a line break at the end; the same for programs.
std::string describe(const Machine& machine);
nlohmann::ordered_json json_of(const Machine& machine);

}  // namespace tagclip::bench
