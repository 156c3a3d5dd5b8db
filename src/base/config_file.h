#pragma once

#include <filesystem>

#include "base/fields.h"

namespace tagclip {

// Sets the fields a TOML file gives. Throws Error(kBadInput) with file, line and column for a syntax error,
// an unknown key (the nearest one is suggested), a wrong type or a value out of range.
void read_config(const std::filesystem::path& path, FieldList& fields);

// All fields as TOML, each under a comment that explains it.
std::string to_toml(const FieldList& fields);

}  // namespace tagclip
