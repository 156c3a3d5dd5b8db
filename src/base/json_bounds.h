#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// What a JSON text of a stranger may hold, where parse_bounded_json is too strict or too lax.
struct JsonBounds {
  size_t bytes = SIZE_MAX;
  size_t values = SIZE_MAX;                // each takes some 50 bytes of memory
  int depth = 32;                          // of nesting
  std::vector<std::string> left_out = {};  // names of members that are dropped while reading
};

// Reads JSON within these bounds; nothing where it is no JSON, or beyond them. Values of members
// that are left out are not kept and do not count.
std::optional<nlohmann::json> parse_json_within(const JsonBounds& bounds, std::string_view text);

}  // namespace tagclip
