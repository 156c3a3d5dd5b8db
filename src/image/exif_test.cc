#include "image/exif.h"

#include <gtest/gtest.h>

#include "image/test_images.h"

namespace tagclip {
namespace {

// The stored pixels  1 2  seen in each orientation, by the definition of the tag: 2, for example,
//                    3 4  says that the stored first column is the right side of the upright
//                    image. 5 6
struct Case {
  int orientation;
  int width;
  std::vector<uint8_t> expected;
};

const Case kCases[] = {
    {1, 2, {1, 2, 3, 4, 5, 6}}, {2, 2, {2, 1, 4, 3, 6, 5}}, {3, 2, {6, 5, 4, 3, 2, 1}},
    {4, 2, {5, 6, 3, 4, 1, 2}}, {5, 3, {1, 3, 5, 2, 4, 6}}, {6, 3, {5, 3, 1, 6, 4, 2}},
    {7, 3, {6, 4, 2, 5, 3, 1}}, {8, 3, {2, 4, 6, 1, 3, 5}},
};

Image numbered() {
  Image image{2, 3, {}};
  for (uint8_t i = 1; i <= 6; ++i) image.pixels.insert(image.pixels.end(), {i, i, i});
  return image;
}

TEST(Exif, UprightFollowsTheTag) {
  for (const Case& test : kCases) {
    const Image image = upright(numbered(), static_cast<Orientation>(test.orientation));
    EXPECT_EQ(image.width, test.width) << test.orientation;
    EXPECT_EQ(image.height, 6 / test.width) << test.orientation;
    ASSERT_EQ(image.pixels.size(), 18u);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(image.pixels[i * 3], test.expected[i]) << test.orientation << " at " << i;
    }
  }
}

TEST(Exif, JpegAndPngAreTurned) {
  const Image stored = gradient_image(24, 16);
  const Image plain = decode_image(encode_jpeg(stored), "a.jpg");
  for (uint8_t tag = 1; tag <= 8; ++tag) {
    for (const bool big_endian : {false, true}) {
      const auto block = exif_block(tag, big_endian);
      const auto orientation = static_cast<Orientation>(tag);
      const Bytes jpeg = encode_jpeg(stored, {.app1 = exif_app1(block)});
      EXPECT_EQ(decode_image(jpeg, "a.jpg").pixels, upright(plain, orientation).pixels) << int{tag};
      const Bytes png = encode_png(24, 16, stored.pixels, {.exif = block});
      EXPECT_EQ(decode_image(png, "a.png").pixels, upright(stored, orientation).pixels) << int{tag};
    }
  }
}

TEST(Exif, BrokenBlocksSayNothing) {
  const auto block = exif_block(6, false);
  ASSERT_EQ(exif_orientation(std::as_bytes(std::span(block))), Orientation::kRightTop);
  for (size_t length = 0; length < 20; ++length) {  // the value ends at byte 20
    const auto cut = std::as_bytes(std::span(block)).first(length);
    EXPECT_EQ(exif_orientation(cut), Orientation::kTopLeft) << length;
  }
  for (const uint8_t value : {0, 9, 255}) {
    const auto odd = exif_block(value, true);
    EXPECT_EQ(exif_orientation(std::as_bytes(std::span(odd))), Orientation::kTopLeft) << int{value};
  }
}

TEST(Exif, RandomBlocksStayInBounds) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    auto block = random_samples(seed % 64, seed);
    const std::vector<uint8_t> start{'I', 'I', 42, 0};
    std::copy_n(start.begin(), std::min(start.size(), block.size()), block.begin());
    const auto orientation = exif_orientation(std::as_bytes(std::span(block)));
    EXPECT_TRUE(orientation >= Orientation::kTopLeft && orientation <= Orientation::kLeftBottom);
  }
}

}  // namespace
}  // namespace tagclip
