#include "commands/photos_ahead.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/test_dir.h"
#include "image/image.h"
#include "infer/inference_model.h"
#include "infer/test_model.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxPixels = 1 << 24;
const std::filesystem::path kPhotos =
    std::filesystem::path(TAGCLIP_SOURCE_DIR) / "tests/data/photos";

class PhotosAheadTest : public testing::Test {
 protected:
  TestDir folder_;
  InferenceModel model_ =
      load_for_inference({.weights = save_test_model(folder_ / "model.safetensors")});
  PhotoEncoder encoder_{*model_.dense, {}};
  PhotosAhead ahead_{encoder_, kMaxPixels};
};

TEST_F(PhotosAheadTest, AreEncodedAsInTheirTurn) {
  ahead_.fetch({kPhotos / "cat.jpg", kPhotos / "coffee.jpg"});
  for (const char* name : {"coffee.jpg", "cat.jpg"}) {
    const std::optional<PreparedPhoto> found = ahead_.take(kPhotos / name);
    ASSERT_TRUE(found) << name;
    const Image photo = read_image(kPhotos / name, {.max_pixels = kMaxPixels});
    EXPECT_EQ(found->image.pixels, photo.pixels);
    StageTimes unused;
    const at::Tensor expected = encoder_(photo, unused).encoding.patches;
    EXPECT_TRUE(found->encoded.encoding.patches.allclose(expected, 1e-4, 1e-5));
  }
}

TEST_F(PhotosAheadTest, AreTakenOnce) {
  ahead_.fetch({kPhotos / "cat.jpg"});
  EXPECT_TRUE(ahead_.take(kPhotos / "cat.jpg"));
  EXPECT_FALSE(ahead_.take(kPhotos / "cat.jpg"));
  EXPECT_FALSE(ahead_.take(kPhotos / "coffee.jpg"));
}

TEST_F(PhotosAheadTest, LeaveOutWhatCannotBeRead) {
  write_file(folder_ / "broken.jpg", "no photo");
  ahead_.fetch({folder_ / "broken.jpg", kPhotos / "cat.jpg", folder_ / "missing.jpg"});
  EXPECT_FALSE(ahead_.take(folder_ / "broken.jpg"));
  EXPECT_FALSE(ahead_.take(folder_ / "missing.jpg"));
  EXPECT_TRUE(ahead_.take(kPhotos / "cat.jpg"));
}

}  // namespace
}  // namespace tagclip
