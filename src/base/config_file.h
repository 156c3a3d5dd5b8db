#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace tagclip {

// Sets the fields a TOML file of at most 1 MiB gives. Throws Error(kBadInput) when it cannot be
// read, and with file, line and column for a syntax error, an unknown key (the nearest one is
// suggested), a wrong type or a value out of range.
void read_config(const std::filesystem::path& path, FieldList& fields);

// The same for a config in which the file names groups itself: [PARENT.NAME]. `fields_of` makes the
// list of all fields for these names, which come in alphabetical order. Throws also for a name with
// characters other than letters, digits, - and _.
void read_config(const std::filesystem::path& path, std::string_view parent,
                 const std::function<FieldList(const std::vector<std::string>& names)>& fields_of);

// Settings by their dotted names, of whatever program wrote them.
using Settings = std::map<std::string, FieldValue>;

// Reads the settings of a stranger's TOML file of at most 32 KiB. Throws Error(kBadInput) as
// read_config does, and for groups nested deeper than 8.
Settings read_settings(const std::filesystem::path& path);

// All fields as TOML, each under a comment that explains it.
std::string to_toml(const ConstFieldList& fields);

}  // namespace tagclip
