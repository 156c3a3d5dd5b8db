#include "clip/clip_file.h"

#include "base/fields_json.h"
#include "weights/weights_kind.h"

namespace tagclip {
Metadata clip_metadata(const ClipConfig& config, Metadata others) {
  others["format"] = "pt";
  others[kClipSettings] = to_json(config.fields());
  return others;
}

void save_clip(const std::filesystem::path& path, const Clip& clip, StoragePrecision precision,
               Metadata metadata) {
  save(path, clip.parameters, precision, clip_metadata(clip.config, std::move(metadata)));
}

}  // namespace tagclip
