#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

inline constexpr size_t kMaxJsonBytes = size_t{4} << 20;

// JSON text of a stranger, such as metadata that holds settings. Nothing when it is no JSON, longer
// than `max_bytes` or nested deeper than 32: what is read so takes bounded memory, and walking it
// bounded stack.
std::optional<nlohmann::json> parse_bounded_json(std::string_view text,
                                                 size_t max_bytes = kMaxJsonBytes);

// Says what is wrong with a text that parse_bounded_json refuses, and where: "line 3, column 15:
// NaN is not a number in JSON".
std::string json_fault(std::string_view text);

// JSON as text. Names of files need not be UTF-8, which JSON is: in such a text each byte that is
// not becomes \xE9 with its value, and a backslash becomes \x5C, so that different names stay
// different. `indent`: columns per level; -1 puts all of it on one line.
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

}  // namespace tagclip
