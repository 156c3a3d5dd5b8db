#include "data_check/photo_print.h"

#include "data/geometry.h"
#include "data/resize.h"
#include "data/test_dataset.h"
#include "data/test_golden.h"

namespace tagclip {
namespace {

TEST(PhotoPrint, FindsCopies) {
  const Image photo = test::make_photo(160, 120, 1);
  const PhotoPrint print = print_of(photo);
  EXPECT_TRUE(are_copies(print, print));
  EXPECT_TRUE(are_copies(print, print_of(resize_bilinear(photo, {64, 48}))));
  EXPECT_TRUE(are_copies(print, print_of(flip_horizontal(photo))));
  Image brighter = photo;
  for (uint8_t& value : brighter.pixels) value = static_cast<uint8_t>(value / 2 + 60);
  EXPECT_TRUE(are_copies(print, print_of(brighter)));
}

TEST(PhotoPrint, TellsStrangersApart) {
  for (uint64_t seed = 2; seed < 200; ++seed) {
    EXPECT_FALSE(are_copies(print_of(test::make_photo(160, 120, 1)),
                            print_of(test::make_photo(160, 120, seed))))
        << seed;
  }
}

TEST(PhotoPrint, BlankPhotosAreNoCopies) {
  const PhotoPrint blank = print_of({20, 20, std::vector<uint8_t>(1200, 90)});
  EXPECT_FALSE(are_copies(blank, blank));
}

TEST(PhotoPrint, TinyPhotos) {
  const PhotoPrint dot = print_of({1, 1, {10, 20, 30}});
  EXPECT_EQ(dot.hash, 0u);
  EXPECT_FALSE(are_copies(dot, dot));
}

TEST(PhotoPrint, RealPhotos) {
  TAGCLIP_NEEDS_SHARED(test::shared_data() / "data/msrc21");
  const auto folder = test::shared_data() / "data/msrc21/images";
  const Image photo = read_image(folder / "10_10_s.jpg");
  EXPECT_TRUE(are_copies(print_of(photo), print_of(resize_bilinear(photo, {100, 67}))));
  EXPECT_FALSE(are_copies(print_of(photo), print_of(read_image(folder / "1_1_s.jpg"))));
}

}  // namespace
}  // namespace tagclip
