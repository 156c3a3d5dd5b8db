#pragma once

#include <filesystem>

#include "base/error.h"
#include "base/fields.h"
#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// Fields as a JSON object {"name": value} with dotted names, as stored in a file's metadata, and
// back. `source` names the file in messages; unknown or unfit entries throw Error(kBadInput).
std::string to_json(const FieldList& fields);
void read_json(const std::string& json, FieldList& fields, const std::string& source);

// Throws what `config.check()` throws as Error(kBadInput) about the file `source`, where the sizes
// were read.
template <class Config>
void check_stored(const Config& config, const std::string& source) {
  try {
    config.check();
  } catch (const Error& error) {
    throw bad_input(source + ": " + error.what(), error.hint());
  }
}

// The metadata of a CLIP of our own: its sizes, beside what `others` says.
Metadata clip_metadata(ClipConfig config, Metadata others = {});

// A CLIP of our own: OpenAI's parameter names, the sizes under "tagclip.clip" in the metadata.
void save_clip(const std::filesystem::path& path, const Clip& clip, Precision precision,
               Metadata metadata = {});

}  // namespace tagclip
