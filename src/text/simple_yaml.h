#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace tagclip {

// The part of YAML that lists of names are written in: maps and lists, in blocks or in brackets, of
// plain and quoted words. Every scalar becomes a string. Nothing when the text is anything else
// (anchors, tags, texts over several lines, several documents), longer than 4 MiB or nested deeper
// than 32.
std::optional<nlohmann::json> parse_simple_yaml(std::string_view text);

}  // namespace tagclip
