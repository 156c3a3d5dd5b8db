#pragma once

#include <filesystem>
#include <string>

#include "infer/photo_encoder.h"

namespace tagclip {

// Writes the encoding of `photo` as safetensors, float32: about 2 MB per window of 512 x 512 of a
// ViT-B/16. `encoder`: EncoderInfo::fingerprint. The file appears whole or not at all. Throws
// Error(kFailure) when it cannot be written.
void write_encoding(const std::filesystem::path& path, const EncodedPhoto& encoded,
                    const Image& photo, const std::string& encoder);

// Reads what was written for this photo, encoder (of the sizes of `clip`) and window grid. Throws
// Error(kBadInput): not such a file, damaged, of another photo, other weights or other windows.
EncodedPhoto read_encoding(const std::filesystem::path& path, const Image& photo,
                           const std::string& encoder, const WindowGrid& grid,
                           const ClipConfig& clip);

}  // namespace tagclip
