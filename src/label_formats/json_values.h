#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/image_ops.h"
#include "label_formats/source_files.h"

namespace tagclip {

// JSON of annotation tools comes from strangers, so every value is asked for its type.

// Reads a whole file of at most 512 MiB. Throws Error(kBadInput) when it cannot be read, is no JSON
// or is nested deeper than 32.
nlohmann::json read_json(const std::filesystem::path& path);

// Returns the value of a key, or nullptr where `json` is no object or lacks it.
const nlohmann::json* find_key(const nlohmann::json& json, const char* key);
std::optional<std::string> text_at(const nlohmann::json& json, const char* key);
std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key);
// Returns 0 x 0 where one is missing. Throws Error(kBadInput) for sizes that no photo has.
Size size_at(const nlohmann::json& json, const char* width, const char* height);

// Whether one of the first JSON files of a source has all those keys, in whatever place.
bool any_json_with(const SourceFiles& files, std::initializer_list<std::string_view> keys);

// Returns an error's words on one line, with its hint.
std::string reason_of(const Error& error);

// Throws Error(kUsage) where the user gave a class list to a format that has one.
void refuse_class_list(const std::filesystem::path& class_list, const std::string& why);

}  // namespace tagclip
