#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/labels.h"
#include "image/image.h"
#include "image/palette.h"

namespace tagclip {

// The class of every pixel: an index into a class list, or kIgnoreIndex.
struct LabelMap {
  int width = 0;
  int height = 0;
  std::vector<uint16_t> labels;  // [height, width]

  size_t size() const { return static_cast<size_t>(width) * height; }
};

// The value that kIgnoreIndex has in a label file for that many classes (see write_label_map).
uint16_t stored_ignore_index(size_t classes);

// Reads a label PNG: palette (the index, not the colour) or grey, 1 to 8 bits, or 16-bit grey.
// Throws Error(kBadInput) for anything else (an RGB label file names the mistake), damaged or
// truncated files, and those larger than `limits`.
LabelMap read_label_map(const std::filesystem::path& path, const ImageLimits& limits = {});

// An indexed PNG whose index is the class, with `palette` as its colours and kIgnoreIndex as 255
// (black where the palette ends). More than 255 colours, or a class beyond 254: 16-bit grey,
// kIgnoreIndex as 65535. Throws Error(kFailure) when libpng gives up.
std::vector<std::byte> encode_label_map(const LabelMap& map, const std::vector<Colour>& palette);

// Writes encode_label_map's bytes. The file appears whole or not at all. Throws Error(kFailure)
// when it cannot be written.
void write_label_map(const std::filesystem::path& path, const LabelMap& map,
                     const std::vector<Colour>& palette);

}  // namespace tagclip
