#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/class_file.h"

namespace tagclip {

// Class lists that are JSON or YAML, see read_class_file.

// The hint to a structure that is none of a class list.
inline constexpr const char* kClassStructures =
    "write one class on a line, or as in [\"sky\", \"sea\"], {\"0\": \"sky\"}, or names: in YAML";

// The classes that a value lists. Throws Error(kBadInput) where it is no list of classes.
std::vector<ListedClass> classes_of_json(const nlohmann::json& value, const std::string& source);

bool begins_as_json(std::string_view text);

// JSON, or what Python prints, whose quotes are single ones; nothing where it is neither. Throws
// Error(kBadInput) above 4 MiB.
std::optional<nlohmann::json> parse_brackets(std::string_view text, const std::string& source);

// The list in `classes = ["sky", "sea"]` or ("sky", "sea") of a program, as JSON or YAML has it;
// any other text as it is.
std::string without_assignment(std::string_view text);

// True for the number of a synset of ImageNet: n01440764.
bool is_synset(std::string_view word);

}  // namespace tagclip
