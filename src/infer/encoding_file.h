#pragma once

#include <filesystem>
#include <string>

#include "infer/photo_encoder.h"

namespace tagclip {

// The encoding of `photo` by the encoder of that fingerprint (DenseModel::encoder_fingerprint) as
// safetensors, float32; appears whole or not at all. About 2 MB a window of 512 x 512 for a
// ViT-B/16. Throws Error(kFailure) when it cannot be written.
void write_encoding(const std::filesystem::path& path, const EncodedPhoto& encoded,
                    const Image& photo, const std::string& encoder);

// What was written for this photo, encoder (of these sizes) and window layout (without zeros).
// Throws Error(kBadInput): not such a file, damaged, of another photo or other weights, cut up
// otherwise.
EncodedPhoto read_encoding(const std::filesystem::path& path, const Image& photo,
                           const std::string& encoder, const WindowOptions& options,
                           const ClipConfig& clip);

}  // namespace tagclip
