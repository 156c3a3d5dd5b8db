#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "weights/tensor_view.h"

namespace tagclip {

// Holds an array of NumPy's .npy format, versions 1 to 3. Files may be column-major (what NumPy
// calls Fortran order) or big-endian; the array here is row-major and little-endian.
struct NpyArray {
  std::vector<std::byte> bytes;
  TensorView view;  // into `bytes`; without a name
};

// Throws Error(kBadInput) naming the file: not such a file, truncated, an element type
// that is no plain number (named), more bytes than the shape says.
NpyArray read_npy(const std::filesystem::path& path);
NpyArray parse_npy(std::vector<std::byte> bytes, const std::string& name);

// The file appears whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_npy(const std::filesystem::path& path, const TensorView& array);

}  // namespace tagclip
