#include "data_check/image_hash.h"

#include "data/image_ops.h"
#include "data/test_dataset.h"
#include "data/test_golden.h"

namespace tagclip {
namespace {

TEST(ImageHash, FindsCopies) {
  const Image photo = test::make_photo(160, 120, 1);
  const ImageHash hash = image_hash(photo);
  EXPECT_TRUE(are_near_duplicates(hash, hash));
  EXPECT_TRUE(are_near_duplicates(hash, image_hash(resize_bilinear(photo, {64, 48}))));
  EXPECT_TRUE(are_near_duplicates(hash, image_hash(flip_horizontal(photo))));
  Image brighter = photo;
  for (uint8_t& value : brighter.pixels) value = static_cast<uint8_t>(value / 2 + 60);
  EXPECT_TRUE(are_near_duplicates(hash, image_hash(brighter)));
}

TEST(ImageHash, TellsDifferentPhotosApart) {
  for (uint64_t seed = 2; seed < 200; ++seed) {
    EXPECT_FALSE(are_near_duplicates(image_hash(test::make_photo(160, 120, 1)),
                                     image_hash(test::make_photo(160, 120, seed))))
        << seed;
  }
}

TEST(ImageHash, BlankPhotosAreNoCopies) {
  const ImageHash blank = image_hash({20, 20, std::vector<uint8_t>(1200, 90)});
  EXPECT_FALSE(are_near_duplicates(blank, blank));
}

TEST(ImageHash, TinyPhotos) {
  const ImageHash dot = image_hash({1, 1, {10, 20, 30}});
  EXPECT_EQ(dot.dhash, 0u);
  EXPECT_FALSE(are_near_duplicates(dot, dot));
}

TEST(ImageHash, RealPhotos) {
  TAGCLIP_NEEDS_SHARED(test::shared_data() / "data/msrc21");
  const auto folder = test::shared_data() / "data/msrc21/images";
  const Image photo = read_image(folder / "10_10_s.jpg");
  EXPECT_TRUE(
      are_near_duplicates(image_hash(photo), image_hash(resize_bilinear(photo, {100, 67}))));
  EXPECT_FALSE(
      are_near_duplicates(image_hash(photo), image_hash(read_image(folder / "1_1_s.jpg"))));
}

}  // namespace
}  // namespace tagclip
