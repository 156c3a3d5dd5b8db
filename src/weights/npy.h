#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "weights/tensor_view.h"

namespace tagclip {

// An array of NumPy's .npy format, versions 1 to 3: row-major, little-endian numbers.
struct NpyArray {
  std::vector<std::byte> bytes;  // of the file
  TensorView view;               // into `bytes`; without a name
};

// Throws Error(kBadInput) naming the file: not such a file, truncated, column-major, big-endian, an
// element type that is no plain number, more bytes than the shape says.
NpyArray read_npy(const std::filesystem::path& path);
NpyArray parse_npy(std::vector<std::byte> bytes, const std::string& name);

// The file appears whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_npy(const std::filesystem::path& path, const TensorView& array);

}  // namespace tagclip
