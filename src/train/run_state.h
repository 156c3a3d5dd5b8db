#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "base/fields.h"
#include "clip/weights.h"
#include "train/optimizer.h"

namespace tagclip {

// Names of settings that say how a run is watched and kept, not what it computes.
using FreeSettings = std::set<std::string>;

// Puts a run back to where its checkpoint was written: `parameters` and `optimizer`. Returns what
// else the file says. `settings` must be those stored as JSON under `settings_key`, but for the
// free ones. Throws Error(kBadInput) naming the file when it is damaged or the settings differ,
// which are listed.
Metadata restore(const std::filesystem::path& checkpoint, const std::string& settings_key,
                 const FieldList& settings, const FreeSettings& free, ParameterList& parameters,
                 AdamW& optimizer);

// Numbers a checkpoint remembers. Throw Error(kBadInput) naming it where there is none under `key`.
int64_t stored_count(const Metadata& metadata, const std::string& key,
                     const std::filesystem::path& checkpoint);
double stored_number(const Metadata& metadata, const std::string& key,
                     const std::filesystem::path& checkpoint);

// Every digit, for stored_number.
std::string exact(double value);

}  // namespace tagclip
