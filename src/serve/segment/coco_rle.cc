#include "serve/segment/coco_rle.h"

#include "base/error.h"

namespace tagclip {
namespace {

// The runs of one class so far.
struct Runs {
  std::vector<int64_t> lengths;  // of zeros and ones by turns
  int64_t end = 0;               // of the last one, in pixels from the start

  void add_ones(int64_t begin, int64_t length) {
    lengths.push_back(begin - end);
    lengths.push_back(length);
    end = begin + length;
  }
};

// Appends a number in groups of five bits, the lowest first, as printable characters; the sixth bit
// says that another group follows, the fifth of the last group is the sign.
void append_number(int64_t number, std::string& text) {
  bool more = true;
  while (more) {
    int64_t group = number & 0x1F;
    number >>= 5;
    more = (group & 0x10) != 0 ? number != -1 : number != 0;
    if (more) group |= 0x20;
    text += static_cast<char>(group + 48);
  }
}

// From the fourth length on the difference to the one two places before is written.
std::string compressed(const std::vector<int64_t>& lengths) {
  std::string text;
  for (size_t i = 0; i < lengths.size(); ++i) {
    append_number(i > 2 ? lengths[i] - lengths[i - 2] : lengths[i], text);
  }
  return text;
}

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
    if (!mask.lengths.empty() && mask.end < all) mask.lengths.push_back(all - mask.end);
    masks.push_back(compressed(mask.lengths));
  }
  return masks;
}

}  // namespace tagclip
