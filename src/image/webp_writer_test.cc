#include "image/webp_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "image/test_images.h"

namespace tagclip {
namespace {

TEST(WebpWriter, StaysNearTheOriginal) {
  const Image image = gradient_image(64, 48);
  const Image read = decode_image(encode_lossy_webp(image, 90), "a.webp");
  ASSERT_EQ(read.pixels.size(), image.pixels.size());
  int64_t difference = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    difference += std::abs(read.pixels[i] - image.pixels[i]);
  }
  EXPECT_LT(difference, 8 * static_cast<int64_t>(image.pixels.size()));
}

TEST(WebpWriter, QualityTradesSize) {
  const Image image = gradient_image(200, 200);
  EXPECT_LT(encode_lossy_webp(image, 10).size(), encode_lossy_webp(image, 95).size());
}

}  // namespace
}  // namespace tagclip
