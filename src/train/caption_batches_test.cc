#include "train/caption_batches.h"

#include <gtest/gtest.h>

#include <cmath>

#include "image/png.h"

namespace tagclip {
namespace {

constexpr int64_t kSide = 8;

std::vector<std::byte> grey_photo(uint8_t grey) {
  const std::vector<uint8_t> samples(static_cast<size_t>(3) * 12 * 12, grey);
  return encode_png({.width = 12, .height = 12, .samples = samples});
}

// A poodle and a beagle, who are dogs both, and two other photos; each of another grey.
std::vector<CaptionedPhoto> photos() {
  return {{"poodle", grey_photo(50), {"poodle", "dog"}},
          {"beagle", grey_photo(100), {"beagle", "dog"}},
          {"cat", grey_photo(150), {"cat"}},
          {"walk", grey_photo(200), {"a man takes his dog for a long walk"}}};
}

PretrainConfig config() {
  PretrainConfig config;
  config.batch = 4;
  config.clip.vocabulary = 600;
  config.clip.context = 64;
  return config;
}

// Returns the photo in each slot, told by its grey.
std::vector<int> slots(const CaptionBatch& batch) {
  std::vector<int> result;
  for (int64_t b = 0; b < batch.pixels.size(0); ++b) {
    const double grey = 255 * (0.485 + 0.229 * batch.pixels[b][0].mean().item<double>());
    result.push_back(static_cast<int>(std::lround(grey / 50)) - 1);
  }
  return result;
}

TEST(CaptionBatches, ATextMatchesEveryPhotoItIsACaptionOf) {
  PretrainConfig settings = config();
  settings.template_probability = 1;  // what a caption is put in changes nothing
  const CaptionBatches batches(settings, photos());
  bool shared = false;
  for (int64_t step = 0; step < 8; ++step) {
    const CaptionBatch batch = batches.batch(step, kSide);
    const std::vector<int> photo = slots(batch);
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < 4; ++j) {
        const bool match = batch.matches[i][j].item<bool>();
        const bool both_dogs = photo[i] < 2 && photo[j] < 2;
        EXPECT_TRUE(match || i != j);
        EXPECT_TRUE(!match || i == j || both_dogs);
        shared |= match && i != j;
      }
    }
  }
  EXPECT_TRUE(shared) << "\"dog\" was never drawn";
}

TEST(CaptionBatches, ColoursAreDistortedWhenAsked) {
  PretrainConfig settings = config();
  const CaptionBatch plain = CaptionBatches(settings, photos()).batch(3, kSide);
  settings.photometric = true;
  const CaptionBatch distorted = CaptionBatches(settings, photos()).batch(3, kSide);
  EXPECT_FALSE(plain.pixels.equal(distorted.pixels));
  EXPECT_TRUE(plain.tokens.equal(distorted.tokens));
}

TEST(CaptionBatches, ABatchDependsOnSeedAndStep) {
  const PretrainConfig settings = config();
  const CaptionBatches batches(settings, photos());
  EXPECT_TRUE(batches.batch(5, kSide).tokens.equal(batches.batch(5, kSide).tokens));
  PretrainConfig other = settings;
  other.seed = 2;
  EXPECT_FALSE(
      CaptionBatches(other, photos()).batch(5, kSide).tokens.equal(batches.batch(5, kSide).tokens));
}

}  // namespace
}  // namespace tagclip
