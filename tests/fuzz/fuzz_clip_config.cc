// Any bytes as the config.json of a CLIP: refused, or with sizes in their range. The first byte
// picks the dialect.
#include "base/error.h"
#include "weights/clip_config_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view json(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const tagclip::ClipConfigJson config = data[0] % 2 == 0
                                               ? tagclip::parse_hugging_face_config(json, "fuzzed")
                                               : tagclip::parse_open_clip_config(json, "fuzzed");
    for (const int64_t heads : {config.vision_heads, config.text_heads}) {
      TAGCLIP_CHECK(heads >= 1 && heads <= 1 << 16, "a number of heads out of its range");
    }
    for (const int64_t size_of_part :
         {config.embedding, config.resolution, config.patch, config.context, config.vocabulary,
          config.vision_width, config.vision_layers, config.text_width, config.text_layers}) {
      TAGCLIP_CHECK(size_of_part >= 0 && size_of_part <= 1 << 16, "a size out of its range");
    }
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}
