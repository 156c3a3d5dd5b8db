#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace tagclip {

// As many first bytes tell what a file is.
inline constexpr size_t kSignatureBytes = 4096;

// Describes a file by its first bytes, in words for a message:
// "a PyTorch zip archive (.pt, .pth, .bin)", "a legacy PyTorch pickle", "a JPEG photo", "an empty
// file", "text", "an HDF5 file", "an ONNX model", "a GGUF model", ... Never throws for content;
// throws Error(kBadInput) when the path cannot be read or is a folder.
std::string describe_file(const std::filesystem::path& path);

// The same for bytes in memory, of which the first kSignatureBytes are looked at.
std::string describe_bytes(std::span<const std::byte> bytes);

}  // namespace tagclip
