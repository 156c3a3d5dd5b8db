#include "data/geometry.h"

#include "base/error.h"
#include "data/test_golden.h"

namespace tagclip {
namespace {

Size size_of(const nlohmann::json& height_width) { return {height_width[1], height_width[0]}; }

TEST(Sizes, FollowMmcvsRounding) {
  int compared = 0;
  for (const auto& row : test::pipeline_json().at("resize_sizes")) {
    const Size source{row.at("w"), row.at("h")};
    for (const auto& [name, expected] : row.items()) {
      if (!expected.is_array()) continue;
      SCOPED_TRACE(name + " of " + row.dump());
      ++compared;
      if (name == "test") {
        EXPECT_EQ(cover_short_side(source, 512), size_of(expected));
      } else if (name == "no_min_size") {
        EXPECT_EQ(fit_within(source, 2048, 512), size_of(expected));
      } else {
        const double ratio = std::stod(name.substr(std::string("train_").size()));
        EXPECT_EQ(fit_within(source, static_cast<int>(2048 * ratio), static_cast<int>(512 * ratio)),
                  size_of(expected));
      }
    }
  }
  EXPECT_EQ(compared, 22 * 7 - 1);  // one size was not computed
}

TEST(Sizes, FollowTheReleasedTestViews) {
  std::vector<Size> expected;
  for (const auto& view : test::pipeline_json().at("photos").at("tta_views")) {
    expected.push_back(size_of(view.at("shape")));
  }
  std::vector<Size> sizes;
  for (const double ratio : {0.5, 1.0, 1.75}) {
    // The plain and the mirrored view.
    sizes.insert(sizes.end(), 2,
                 cover_short_side({334, 500}, std::max(512, static_cast<int>(512 * ratio))));
  }
  EXPECT_EQ(sizes, expected);
}

TEST(Sizes, ThinPicturesKeepOnePixel) {
  EXPECT_EQ(fit_within({10000, 1}, 2048, 512), (Size{2048, 1}));
}

TEST(Sizes, RefusesPicturesThatWouldFillTheMemory) {
  EXPECT_EQ(cover_short_side({1024, 1}, 512), (Size{524288, 512}));
  try {
    cover_short_side({60'000'000, 1}, 512);
    FAIL() << "60000000x1 was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("60000000x1"), std::string::npos) << error.what();
  }
}

TEST(Flip, MirrorsRows) {
  const auto file = SafetensorsFile::open(test::pipeline_file("labels.safetensors"));
  const Image flipped = flip_horizontal(test::image(file, "flip.input"));
  EXPECT_EQ(flipped.pixels, test::image(file, "flip.horizontal").pixels);
  EXPECT_EQ(flipped.width, 5);
  EXPECT_EQ(flip_horizontal(test::labels(file, "flip.label")).labels,
            test::labels(file, "flip.horizontal.label").labels);
}

TEST(Crop, CopiesTheBox) {
  const LabelMap map{4, 3, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}};
  const LabelMap part = crop(map, {1, 1, 2, 2});
  EXPECT_EQ(part.width, 2);
  EXPECT_EQ(part.labels, (std::vector<uint16_t>{11, 12, 21, 22}));

  const Image image{2, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  EXPECT_EQ(crop(image, {1, 0, 1, 2}).pixels, (std::vector<uint8_t>{3, 4, 5, 9, 10, 11}));
}

TEST(Crop, BoxesOutsideAreBugs) {
  const LabelMap map{4, 3, std::vector<uint16_t>(12)};
  for (const CropBox& box : {CropBox{3, 0, 2, 1}, CropBox{0, 2, 1, 2}, CropBox{-1, 0, 1, 1},
                             CropBox{0, 0, 0, 1}, CropBox{1, 0, 2147483647, 1}}) {
    EXPECT_THROW(crop(map, box), InternalError) << box.x << " " << box.width;
  }
}

TEST(Pad, AddsVoidAtTheRightAndBottom) {
  const LabelMap padded = pad({2, 1, {5, 6}}, {3, 2});
  EXPECT_EQ(padded.width, 3);
  EXPECT_EQ(padded.height, 2);
  EXPECT_EQ(padded.labels, (std::vector<uint16_t>{5, 6, kIgnore, kIgnore, kIgnore, kIgnore}));
  EXPECT_THROW(pad({2, 1, {5, 6}}, {1, 2}), InternalError);
}

}  // namespace
}  // namespace tagclip
