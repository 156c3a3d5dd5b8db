#include "infer/frame_encoder.h"

#include <random>

#include "infer/test_model.h"

namespace tagclip {
namespace {

Image noise(int width, int height, int seed) {
  std::mt19937 random(seed);
  Image image{width, height, {}};
  for (size_t i = 0; i < image.size() * 3; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(random()));
  }
  return image;
}

class FrameEncoderTest : public ModelTest {
 protected:
  PhotoEncoder encoder(const std::vector<double>& scales = {1}, bool flip = false) {
    return {load().model,
            {.window = 32, .stride = 32, .short_side = 32, .scales = scales, .flip = flip}};
  }

  static void expect_same(const EncodedPhoto& a, const EncodedPhoto& b) {
    ASSERT_EQ(a.views.size(), b.views.size());
    for (size_t v = 0; v < a.views.size(); ++v) {
      const Encoding &first = a.views[v].encoding, &second = b.views[v].encoding;
      EXPECT_TRUE(first.patches.allclose(second.patches, 1e-5, 1e-6));
      EXPECT_TRUE(first.image.allclose(second.image, 1e-5, 1e-6));
    }
  }
};

TEST_F(FrameEncoderTest, EncodesTheWindowsThatChanged) {
  const PhotoEncoder photos = encoder();
  FrameEncoder frames(photos, {});
  StageTimes times;
  Image frame = noise(128, 32, 1);  // four windows
  expect_same(frames(frame, times), photos(frame, times));
  EXPECT_EQ(frames.encoded(), 4);

  expect_same(frames(frame, times), photos(frame, times));
  EXPECT_EQ(frames.encoded(), 4);
  EXPECT_EQ(frames.windows(), 8);

  const Image other = noise(128, 32, 2);
  for (int y = 0; y < 32; ++y) {  // a patch of the third window
    for (int x = 70; x < 76; ++x) {
      for (int c = 0; c < 3; ++c) {
        frame.pixels[(y * 128 + x) * 3 + c] = other.pixels[(y * 128 + x) * 3 + c];
      }
    }
  }
  expect_same(frames(frame, times), photos(frame, times));
  EXPECT_EQ(frames.encoded(), 5);

  expect_same(frames(noise(96, 32, 3), times), photos(noise(96, 32, 3), times));
  EXPECT_EQ(frames.encoded(), 8) << "another size";
}

TEST_F(FrameEncoderTest, EachViewKeepsItsWindows) {
  const PhotoEncoder photos = encoder({1, 2}, /*flip=*/true);
  FrameEncoder frames(photos, {});
  StageTimes times;
  Image frame = noise(128, 32, 1);  // 4, 4, 16 and 16 windows
  expect_same(frames(frame, times), photos(frame, times));
  EXPECT_EQ(frames.encoded(), 40);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 8; ++y) frame.pixels[(y * 128 + 70) * 3 + c] ^= 255;
  }
  expect_same(frames(frame, times), photos(frame, times));
  EXPECT_EQ(frames.encoded(), 44) << "one window of each view";
  EXPECT_EQ(frames.windows(), 80);
}

TEST_F(FrameEncoderTest, SlowChangesAddUp) {
  FrameEncoder frames(encoder(), {.unchanged = 2});
  StageTimes times;
  Image frame{32, 32, std::vector<uint8_t>(size_t{32} * 32 * 3, 100)};
  for (int i = 0; i < 7; ++i) {
    frames(frame, times);
    for (uint8_t& value : frame.pixels) ++value;
  }
  EXPECT_EQ(frames.encoded(), 3) << "at 0, 3 and 6 levels";
}

TEST_F(FrameEncoderTest, SmoothingMovesTowardsTheFramesBefore) {
  const PhotoEncoder photos = encoder();
  StageTimes times;
  const Image first = noise(32, 32, 1);
  Image second = first;
  for (size_t i = 0; i < second.pixels.size(); i += 5) second.pixels[i] ^= 64;
  FrameEncoder frames(photos, {.smoothing = 0.75});
  expect_same(frames(first, times), photos(first, times));
  const at::Tensor before = photos(first, times).views[0].encoding.patches;
  const at::Tensor alone = photos(second, times).views[0].encoding.patches;
  const at::Tensor smoothed = frames(second, times).views[0].encoding.patches;
  EXPECT_LT((smoothed - before).norm().item<float>(), (alone - before).norm().item<float>());
  EXPECT_TRUE(smoothed.norm(2, -1).allclose(at::ones({1, smoothed.size(1)})));
}

TEST(LargestChange, IsThatOfOnePatch) {
  const Image a = noise(20, 12, 1);
  Image b = a;
  EXPECT_EQ(largest_change(a, b, 8), 0);
  for (int c = 0; c < 3; ++c) b.pixels[(11 * 20 + 19) * 3 + c] ^= 128;
  EXPECT_NEAR(largest_change(a, b, 8), 128.0 / 16, 1e-9) << "the last patch has 4 x 4 pixels";
}

}  // namespace
}  // namespace tagclip
