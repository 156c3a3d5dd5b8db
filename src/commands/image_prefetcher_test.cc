#include "commands/image_prefetcher.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "image/image.h"
#include "infer/test_model.h"
#include "support/places.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

const std::filesystem::path kPhotos = source_folder() / "tests/data/photos";

class ImagePrefetcherTest : public testing::Test {
 protected:
  TestDir folder_;
  Pipeline pipeline_{save_test_model(folder_ / "model.safetensors"),
                     {.device = Device::kCpu, .precision = Precision::kFloat32}};
  ImagePrefetcher prefetcher_{pipeline_};
};

TEST_F(ImagePrefetcherTest, EncodesPhotosAsInTheirTurn) {
  prefetcher_.fetch({kPhotos / "cat.jpg", kPhotos / "coffee.jpg"});
  for (const char* name : {"coffee.jpg", "cat.jpg"}) {
    const std::optional<PreparedPhoto> found = prefetcher_.take(kPhotos / name);
    ASSERT_TRUE(found) << name;
    const Image photo = read_image(kPhotos / name);
    EXPECT_EQ(found->image.pixels, photo.pixels);
    StageTimes unused;
    const at::Tensor expected = pipeline_.encode(photo, unused).views[0].encoding.patches;
    EXPECT_TRUE(found->encoded.views[0].encoding.patches.allclose(expected, 1e-4, 1e-5));
  }
}

TEST_F(ImagePrefetcherTest, APhotoIsTakenOnce) {
  prefetcher_.fetch({kPhotos / "cat.jpg"});
  EXPECT_TRUE(prefetcher_.take(kPhotos / "cat.jpg"));
  EXPECT_FALSE(prefetcher_.take(kPhotos / "cat.jpg"));
  EXPECT_FALSE(prefetcher_.take(kPhotos / "coffee.jpg"));
}

TEST_F(ImagePrefetcherTest, LeavesOutWhatCannotBeRead) {
  write_file(folder_ / "broken.jpg", "no photo");
  prefetcher_.fetch({folder_ / "broken.jpg", kPhotos / "cat.jpg", folder_ / "missing.jpg"});
  EXPECT_FALSE(prefetcher_.take(folder_ / "broken.jpg"));
  EXPECT_FALSE(prefetcher_.take(folder_ / "missing.jpg"));
  EXPECT_TRUE(prefetcher_.take(kPhotos / "cat.jpg"));
}

}  // namespace
}  // namespace tagclip
