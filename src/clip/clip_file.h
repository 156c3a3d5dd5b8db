#pragma once

#include <filesystem>

#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// The metadata of a CLIP of our own: its sizes, beside what `others` says.
Metadata clip_metadata(const ClipConfig& config, Metadata others = {});

// A CLIP of our own: OpenAI's parameter names, the sizes under "tagclip.clip" in the metadata.
void save_clip(const std::filesystem::path& path, const Clip& clip, StoragePrecision precision,
               Metadata metadata = {});

}  // namespace tagclip
