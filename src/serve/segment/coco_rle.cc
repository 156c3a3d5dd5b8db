#include "serve/segment/coco_rle.h"

#include <cstdint>

#include "base/error.h"
#include "image/coco_runs.h"

namespace tagclip {
namespace {

// The runs of one class so far.
struct Runs {
  std::vector<uint32_t> lengths;  // of zeros and ones by turns
  int64_t end = 0;                // of the last one, in pixels from the start

  void add_ones(int64_t begin, int64_t length) {
    lengths.push_back(static_cast<uint32_t>(begin - end));
    lengths.push_back(static_cast<uint32_t>(length));
    end = begin + length;
  }
};

}  // namespace

std::vector<std::string> coco_rle(std::span<const uint16_t> labels, int width, int height,
                                  size_t classes) {
  const int64_t all = int64_t{width} * height;
  TAGCLIP_CHECK(std::ssize(labels) == all, "labels fill the map");
  std::vector<Runs> runs(classes);
  const auto label_at = [&](int64_t i) { return labels[i % height * width + i / height]; };
  for (int64_t begin = 0; begin < all;) {
    const uint16_t label = label_at(begin);
    int64_t end = begin + 1;
    while (end < all && label_at(end) == label) ++end;
    if (label < classes) runs[label].add_ones(begin, end - begin);
    begin = end;
  }
  std::vector<std::string> masks;
  for (Runs& mask : runs) {
    if (!mask.lengths.empty() && mask.end < all)
      mask.lengths.push_back(static_cast<uint32_t>(all - mask.end));
    masks.push_back(pack_runs(mask.lengths));
  }
  return masks;
}

}  // namespace tagclip
