#include "data/normalise.h"

#include "base/error.h"
#include "data/test_golden.h"

namespace tagclip {
namespace {

TEST(Normalise, SplitsChannelsAndPadsWithZero) {
  const Image image{2, 1, {0, 10, 20, 255, 110, 120}};
  const PixelNormalization statistics{{10.0 / 255, 20.0 / 255, 30.0 / 255},
                                      {2.0 / 255, 4.0 / 255, 8.0 / 255}};
  std::vector<float> out(3 * 3 * 2 + 1, 99);
  normalise_into(image, statistics, {3, 2}, out.data());
  EXPECT_EQ(out, (std::vector<float>{-5, 122.5, 0, 0, 0, 0,   //
                                     -2.5, 22.5, 0, 0, 0, 0,  //
                                     -1.25, 11.25, 0, 0, 0, 0, 99}));
  EXPECT_THROW(normalise_into(image, statistics, {1, 2}, out.data()), InternalError);
}

TEST(Normalise, GoldenPixels) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("10_10_s_decoded.png"));
  const Image photo = read_image(test::pipeline_file("10_10_s_decoded.png"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photos.safetensors"));
  const auto expected = test::values<float>(file, "10_10_s.normalized_8x8");  // [8, 8, 3]
  std::vector<float> planes(3 * 8 * 8);
  normalise_into(crop(photo, {0, 0, 8, 8}), {}, {8, 8}, planes.data());
  for (int i = 0; i < 64; ++i) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(planes[c * 64 + i], expected[i * 3 + c]);
  }
}

}  // namespace
}  // namespace tagclip
