#include "data/image_ops.h"

#include <cmath>

#include "base/error.h"
#include "data/random.h"
#include "data/test_golden.h"
#include "support/sha256.h"

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
  EXPECT_EQ(padded.labels,
            (std::vector<uint16_t>{5, 6, kIgnoreIndex, kIgnoreIndex, kIgnoreIndex, kIgnoreIndex}));
  EXPECT_THROW(pad({2, 1, {5, 6}}, {1, 2}), InternalError);
}

Image random_image(int width, int height, std::mt19937_64& random) {
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3)};
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(uniform_index(random, 256));
  return image;
}

int random_side(std::mt19937_64& random) { return static_cast<int>(1 + uniform_index(random, 70)); }

// The reference maps were made from labels without class 0.
LabelMap without_background(LabelMap map, const std::vector<uint8_t>& table) {
  for (uint16_t& label : map.labels) {
    const uint8_t reduced = table[label == kIgnoreIndex ? 255 : label];
    label = reduced == 255 ? kIgnoreIndex : reduced;
  }
  return map;
}

// OpenCV's formula (golden/README.md) for one value, as it stands there.
uint8_t reference_value(const Image& image, Size size, int x, int y, int c) {
  const auto locate = [](int target, int length, int source) {
    const double scale = 1 / (static_cast<double>(length) / source);
    return static_cast<float>((target + 0.5) * scale - 0.5);
  };
  const auto fixed = [](float weight) { return static_cast<int>(std::nearbyint(weight * 2048)); };
  const auto at = [&](int row, int column) {
    return static_cast<int>(image.pixels[(row * image.width + column) * 3 + c]);
  };
  float fx = locate(x, size.width, image.width);
  int sx = static_cast<int>(std::floor(fx));
  fx -= static_cast<float>(sx);
  if (sx < 0) sx = 0, fx = 0;
  if (sx >= image.width - 1) sx = image.width - 1, fx = 0;
  float fy = locate(y, size.height, image.height);
  const int sy = static_cast<int>(std::floor(fy));
  fy -= static_cast<float>(sy);
  const auto row_sum = [&](int row) {
    row = std::clamp(row, 0, image.height - 1);
    return at(row, sx) * fixed(1 - fx) + at(row, std::min(sx + 1, image.width - 1)) * fixed(fx);
  };
  const int upper = (fixed(1 - fy) * (row_sum(sy) >> 4)) >> 16;
  const int lower = (fixed(fy) * (row_sum(sy + 1) >> 4)) >> 16;
  return static_cast<uint8_t>((upper + lower + 2) >> 2);
}

TEST(ResizeBilinear, IsOpenCvsFixedPoint) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 80; ++round) {
    const Image image = random_image(random_side(random), random_side(random), random);
    const Size size{random_side(random), random_side(random)};
    const Image resized = resize_bilinear(image, size);
    ASSERT_EQ(resized.width, size.width);
    ASSERT_EQ(resized.height, size.height);
    size_t i = 0;
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < 3; ++c, ++i) {
          ASSERT_EQ(resized.pixels[i], reference_value(image, size, x, y, c))
              << image.width << "x" << image.height << " to " << size.width << "x" << size.height
              << " at " << x << ", " << y;
        }
      }
    }
  }
}

TEST(ResizeBilinear, AWindowIsAPartOfTheWhole) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 80; ++round) {
    const Image image = random_image(random_side(random), random_side(random), random);
    const Size size{random_side(random), random_side(random)};
    CropBox window;
    window.x = static_cast<int>(uniform_index(random, size.width));
    window.y = static_cast<int>(uniform_index(random, size.height));
    window.width = static_cast<int>(1 + uniform_index(random, size.width - window.x));
    window.height = static_cast<int>(1 + uniform_index(random, size.height - window.y));
    EXPECT_EQ(resize_bilinear(image, size, window).pixels,
              crop(resize_bilinear(image, size), window).pixels);
  }
}

TEST(ResizeBilinear, TheSameSizeChangesNothing) {
  std::mt19937_64 random(13);
  const Image image = random_image(31, 17, random);
  EXPECT_EQ(resize_bilinear(image, {31, 17}).pixels, image.pixels);
}

TEST(ResizeBilinear, WindowsOutsideAreBugs) {
  const Image image{1, 1, {1, 2, 3}};
  EXPECT_EQ(resize_bilinear(image, {2, 1}).pixels, (std::vector<uint8_t>{1, 2, 3, 1, 2, 3}));
  EXPECT_THROW(resize_bilinear(image, {4, 4}, {2, 0, 3, 1}), InternalError);
  EXPECT_THROW(resize_bilinear(image, {0, 4}), InternalError);
  EXPECT_THROW(resize_bilinear(Image{}, {4, 4}), InternalError);
}

TEST(ResizeBilinear, GoldenPhoto) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("10_10_s_decoded.png"));
  const Image photo = read_image(test::pipeline_file("10_10_s_decoded.png"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photos.safetensors"));

  const Image whole = resize_bilinear(photo, {769, 512});
  EXPECT_EQ(test::every(whole.pixels, 769, 3, 7),
            test::values<uint8_t>(file, "10_10_s.resized_u8_stride7"));
  EXPECT_EQ(test::every(whole.pixels, 769, 3, 16),
            test::values<uint8_t>(file, "10_10_s.resized_u8_stride16"));
  EXPECT_EQ(resize_bilinear(photo, {75, 50}).pixels,
            test::image(file, "10_10_s.imresize_75x50").pixels);

  const auto& json = test::pipeline_json();
  for (const std::string ratio : {"0.5", "0.75", "1.3", "2.0"}) {
    const auto& expected = json["photos"]["10_10_s"]["train_resize_" + ratio];
    const Size size =
        fit_within({photo.width, photo.height}, expected["scale"][0], expected["scale"][1]);
    EXPECT_EQ(size, size_of(expected["shape"]));
    const Image resized = resize_bilinear(photo, size);
    EXPECT_EQ(test::every(resized.pixels, size.width, 3, 13),
              test::values<uint8_t>(file, "10_10_s.train_resize_" + ratio + ".u8_stride13"));
    EXPECT_EQ(sha256_hex(resized.pixels), expected["sha256_rgb"].get<std::string>());
  }
}

TEST(ResizeNearest, GoldenSmallLabel) {
  const auto file = SafetensorsFile::open(test::pipeline_file("labels.safetensors"));
  const LabelMap source = test::labels(file, "small_label");
  for (const Size size :
       {Size{13, 5}, Size{18, 14}, Size{1, 1}, Size{31, 17}, Size{4, 3}, Size{9, 7}}) {
    const std::string name =
        "small_label_nearest_" + std::to_string(size.width) + "x" + std::to_string(size.height);
    EXPECT_EQ(resize_nearest(source, size).labels, test::labels(file, name).labels) << name;
  }
}

TEST(ResizeNearest, GoldenVocLabel) {
  const auto json = test::pipeline_json().at("labels");
  const auto path = test::shared_file(json.at("file"));
  TAGCLIP_NEEDS_SHARED(path);
  const auto file = SafetensorsFile::open(test::pipeline_file("labels.safetensors"));
  const LabelMap label = without_background(read_label_map(path),
                                            test::values<uint8_t>(file, "reduce_zero_label_table"));
  for (const std::string scale : {"2048x512", "1024x256", "1434x358", "4096x1024"}) {
    const std::string name = "label_rescale_" + scale;
    const Size size = size_of(json.at(name).at("shape"));
    const auto bytes = test::bytes_of(resize_nearest(label, size));
    EXPECT_EQ(test::every(bytes, size.width, 1, 11),
              test::values<uint8_t>(file, name + ".stride11"));
    EXPECT_EQ(sha256_hex(bytes), json.at(name).at("sha256").get<std::string>()) << name;
  }
}

TEST(ResizeNearest, AWindowIsAPartOfTheWhole) {
  std::mt19937_64 random(14);
  LabelMap map{37, 23, std::vector<uint16_t>(37 * 23)};
  for (uint16_t& label : map.labels) label = static_cast<uint16_t>(random());
  const CropBox window{9, 20, 30, 33};
  EXPECT_EQ(resize_nearest(map, {61, 53}, window).labels,
            crop(resize_nearest(map, {61, 53}), window).labels);
}

TEST(Normalise, SplitsChannelsAndPadsWithZero) {
  const Image image{2, 1, {0, 10, 20, 255, 110, 120}};
  const PixelNormalization statistics{{10 / 255., 20 / 255., 30 / 255.},
                                      {2 / 255., 4 / 255., 8 / 255.}};
  std::vector<float> out(3 * 3 * 2 + 1, 99);
  normalize_into(image, statistics, {3, 2}, out.data());
  EXPECT_EQ(out, (std::vector<float>{-5, 122.5, 0, 0, 0, 0,   //
                                     -2.5, 22.5, 0, 0, 0, 0,  //
                                     -1.25, 11.25, 0, 0, 0, 0, 99}));
  EXPECT_THROW(normalize_into(image, statistics, {1, 2}, out.data()), InternalError);
}

TEST(Normalise, GoldenPixels) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("10_10_s_decoded.png"));
  const Image photo = read_image(test::pipeline_file("10_10_s_decoded.png"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photos.safetensors"));
  const auto expected = test::values<float>(file, "10_10_s.normalized_8x8");  // [8, 8, 3]
  std::vector<float> planes(3 * 8 * 8);
  normalize_into(crop(photo, {0, 0, 8, 8}), {}, {8, 8}, planes.data());
  for (int i = 0; i < 64; ++i) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(planes[c * 64 + i], expected[i * 3 + c]);
  }
}

}  // namespace
}  // namespace tagclip
