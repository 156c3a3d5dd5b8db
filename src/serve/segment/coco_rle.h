#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tagclip {

// The mask of each of `classes` classes in a label map, [height, width], as COCO's compressed
// run-length encoding ("counts" of pycocotools: runs down the columns, the first one of zeros). A
// class that does not occur has an empty text.
std::vector<std::string> coco_rle(std::span<const uint16_t> labels, int width, int height,
                                  size_t classes);

}  // namespace tagclip
