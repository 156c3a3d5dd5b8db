#pragma once

#include <string>

#include "base/fields.h"

namespace tagclip {

// Fields as a JSON object {"name": value} with dotted names, as the metadata of a file stores them,
// and back. `source` names the file in messages; unknown or unfit entries throw Error(kBadInput).
std::string to_json(const ConstFieldList& fields);
void read_json(const std::string& json, FieldList& fields, const std::string& source);

// Throws what `config.check()` throws as Error(kBadInput) about the file `source`, where the config
// was read.
template <class Config>
void check_stored(const Config& config, const std::string& source) {
  try {
    config.check();
  } catch (const Error& error) {
    throw bad_input(source + ": " + error.what(), error.hint());
  }
}

}  // namespace tagclip
