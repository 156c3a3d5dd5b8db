#include "data/normalise.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tagclip {
namespace {

using Table = std::array<float, 256>;

// mmcv's roundings: statistics and difference in float32, products in double.
Table make_table(double mean, double std) {
  const double mean32 = static_cast<float>(255 * mean);
  const double inverse = 1.0 / static_cast<float>(255 * std);
  Table table;
  for (int level = 0; level < 256; ++level) {
    table[level] = static_cast<float>(static_cast<float>(level - mean32) * inverse);
  }
  return table;
}

}  // namespace

void normalise_into(const Image& image, const PixelNormalization& normalization, Size size,
                    float* out) {
  TAGCLIP_CHECK(size.width >= image.width && size.height >= image.height,
                "normalising cannot shrink");
  for (int c = 0; c < 3; ++c) {
    const Table table = make_table(normalization.mean[c], normalization.std[c]);
    const uint8_t* value = image.pixels.data() + c;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x, value += 3) out[x] = table[*value];
      std::fill(out + image.width, out + size.width, 0.0f);
      out += size.width;
    }
    const size_t below = static_cast<size_t>(size.height - image.height) * size.width;
    std::fill_n(out, below, 0.0f);
    out += below;
  }
}

}  // namespace tagclip
