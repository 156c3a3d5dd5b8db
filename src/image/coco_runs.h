#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tagclip {

// COCO's text form of a mask's run lengths, which are those of pixels outside and inside in turn,
// down the columns. label_formats/raster.h reads it.
std::string pack_runs(std::span<const uint32_t> runs);

}  // namespace tagclip
