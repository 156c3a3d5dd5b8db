#include "data/augment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/labels.h"
#include "data/random.h"
#include "data/test_golden.h"
#include "support/sha256.h"

namespace tagclip {
namespace {

// A picture with some structure: left half class 0, right half class 1.
struct Pair {
  Image image;
  LabelMap labels;
};
Pair make_pair(int width, int height) {
  Pair pair{{width, height, {}}, {width, height, {}}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      pair.labels.labels.push_back(x < width / 2 ? 0 : 1);
      for (int c = 1; c <= 3; ++c) pair.image.pixels.push_back(static_cast<uint8_t>(x * c + y));
    }
  }
  return pair;
}

struct TrainingSample {
  std::vector<float> pixels;
  LabelMap labels;
};
// `how`: a decision, or a generator.
template <class How>
TrainingSample sample_of(const Pair& pair, const AugmentOptions& options, How&& how) {
  TrainingSample sample;
  sample.pixels.assign(static_cast<size_t>(3) * options.crop_size * options.crop_size, 1e9f);
  sample.labels = augment(pair.image, pair.labels, options, how, sample.pixels.data());
  return sample;
}

Augmentation decision_of(const nlohmann::json& entry) {
  const auto number = [&](const char* key, float off) {
    const auto& value = entry.at("photometric").at(key);
    return value.is_null() ? off : value.get<float>();
  };
  Augmentation decision;
  decision.size = {entry["resized_shape"][1], entry["resized_shape"][0]};
  const int crop = entry["crop_size"][0];
  decision.box = {entry["crop_offset_yx"][1], entry["crop_offset_yx"][0],
                  std::min(crop, decision.size.width), std::min(crop, decision.size.height)};
  decision.flip = entry["flip"];
  decision.photometric = {.brightness = number("brightness_delta", 0),
                          .contrast = number("contrast_alpha", 1),
                          .saturation = number("saturation_alpha", 1),
                          .hue = static_cast<int>(number("hue_delta", 0)),
                          .contrast_first = entry["photometric"]["contrast_position"] == "first"};
  return decision;
}

TEST(Augment, GoldenTrainingSamples) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("train_samples.safetensors"));
  const auto file = SafetensorsFile::open(test::pipeline_file("train_samples.safetensors"));
  const auto& json = test::pipeline_json();
  const Image photo = read_image(test::pipeline_file("10_10_s_decoded.png"));
  const LabelMap labels = read_label_map(test::shared_file(json.at("train_sample_label")));
  AugmentOptions options;
  options.crop_size = 96;
  for (const auto& entry : json.at("train_samples")) {
    const std::string name = "train" + entry.at("case").dump();
    const Augmentation decision = decision_of(entry);
    EXPECT_EQ(fit_within({photo.width, photo.height}, entry["scale"][0], entry["scale"][1]),
              decision.size);
    const TrainingSample sample = sample_of({photo, labels}, options, decision);

    const auto means = test::values<double>(file, name + ".image_mean");
    std::vector<float> strided;
    for (int c = 0; c < 3; ++c) {
      const std::vector<float> plane(sample.pixels.begin() + c * 96 * 96,
                                     sample.pixels.begin() + (c + 1) * 96 * 96);
      const auto part = test::every(plane, 96, 1, 3);
      strided.insert(strided.end(), part.begin(), part.end());
      EXPECT_NEAR(std::accumulate(plane.begin(), plane.end(), 0.0) / (96 * 96), means[c], 1e-6)
          << name;
    }
    EXPECT_LE(test::largest_difference(strided, test::values<float>(file, name + ".image_stride3")),
              1e-6)
        << name;
    EXPECT_EQ(sample.labels.labels, test::labels(file, name + ".label").labels) << name;
  }
}

TEST(Augment, GoldenTestPipeline) {
  const auto photos = test::pipeline_json().at("photos");
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("photos.safetensors"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photos.safetensors"));
  for (const std::string name : {"2007_000129", "2011_000003", "10_10_s"}) {
    SCOPED_TRACE(name);
    const auto& expected = photos.at(name);
    const Image photo = read_image(test::shared_file(expected.at("file")));
    EXPECT_EQ(sha256_hex(photo.pixels), expected.at("sha256_decoded_rgb").get<std::string>());

    const Size size = cover_short_side({photo.width, photo.height}, 512);
    EXPECT_EQ(size, (Size{expected["resized_shape"][1], expected["resized_shape"][0]}));
    const Image resized = resize_bilinear(photo, size);
    EXPECT_EQ(sha256_hex(resized.pixels), expected.at("sha256_resized_rgb").get<std::string>());

    const size_t plane_size = resized.size();
    std::vector<float> tensor(3 * plane_size);
    normalize_into(resized, {}, size, tensor.data());
    std::vector<float> strided;
    for (int c = 0; c < 3; ++c) {
      const std::vector<float> plane(tensor.begin() + c * plane_size,
                                     tensor.begin() + (c + 1) * plane_size);
      const auto part = test::every(plane, size.width, 1, 16);
      strided.insert(strided.end(), part.begin(), part.end());
      EXPECT_NEAR(std::accumulate(plane.begin(), plane.end(), 0.0) / plane_size,
                  test::values<double>(file, name + ".tensor_mean")[c], 1e-6);
    }
    EXPECT_LE(
        test::largest_difference(strided, test::values<float>(file, name + ".tensor_stride16")),
        1e-6);
  }
}

TEST(Augment, ASeedMakesTheSample) {
  const Pair pair = make_pair(90, 70);
  AugmentOptions options;
  options.long_side = 256, options.short_side = 64, options.crop_size = 64;
  std::set<std::vector<float>> different;
  for (int seed = 0; seed < 8; ++seed) {
    std::mt19937_64 random(seed), again(seed);
    const TrainingSample sample = sample_of(pair, options, random);
    const TrainingSample same = sample_of(pair, options, again);
    EXPECT_EQ(sample.pixels, same.pixels);
    EXPECT_EQ(sample.labels.labels, same.labels.labels);
    different.insert(sample.pixels);
  }
  EXPECT_EQ(different.size(), 8u);
}

TEST(Augment, DrawsStayInsideTheResizedPicture) {
  const Pair pair = make_pair(90, 70);
  AugmentOptions options;
  options.long_side = 256, options.short_side = 64, options.crop_size = 64;
  std::mt19937_64 random(9);
  int flips = 0;
  for (int i = 0; i < 500; ++i) {
    const Augmentation decision = draw_augmentation(pair.labels, options, random);
    ASSERT_GE(decision.size.height, 32);
    ASSERT_LE(decision.size.height, 128);
    ASSERT_LE(decision.box.x + decision.box.width, decision.size.width);
    ASSERT_LE(decision.box.y + decision.box.height, decision.size.height);
    flips += decision.flip;
  }
  EXPECT_NEAR(flips, 250, 50);
}

// Labels are resized to the nearest, so they flip and move with the picture.
TEST(Augment, FlipsPictureAndLabelsTogether) {
  const Pair pair = make_pair(8, 8);
  AugmentOptions options;
  options.crop_size = 8;
  const Augmentation straight{.size = {8, 8}, .box = {0, 0, 8, 8}, .flip = false};
  const Augmentation mirrored{.size = {8, 8}, .box = {0, 0, 8, 8}, .flip = true};
  const TrainingSample a = sample_of(pair, options, straight);
  const TrainingSample b = sample_of(pair, options, mirrored);
  for (int x = 0; x < 8; ++x) {
    EXPECT_EQ(a.labels.labels[x], b.labels.labels[7 - x]);
    EXPECT_EQ(a.pixels[x], b.pixels[7 - x]);
  }
}

TEST(Augment, PadsWhatTheCropDoesNotFill) {
  const Pair pair = make_pair(6, 4);
  AugmentOptions options;
  options.crop_size = 8;
  const TrainingSample sample =
      sample_of(pair, options, Augmentation{.size = {6, 4}, .box = {0, 0, 6, 4}});
  EXPECT_EQ(sample.pixels.size(), 3u * 64);
  EXPECT_EQ(sample.pixels[6], 0.0f);
  EXPECT_EQ(sample.pixels[4 * 8], 0.0f);
  EXPECT_EQ(sample.labels.labels[6], kIgnoreIndex);
  EXPECT_EQ(sample.labels.labels[4 * 8], kIgnoreIndex);
}

TEST(Augment, ImageAndLabelsOfDifferentSizeAreABug) {
  const Pair pair = make_pair(6, 4);
  std::mt19937_64 random(1);
  EXPECT_THROW(sample_of({pair.image, make_pair(4, 6).labels}, {}, random), InternalError);
}

CropBox box_at(const LabelMap& map, const nlohmann::json& offset_yx, int crop_size) {
  return {offset_yx[1], offset_yx[0], std::min(crop_size, map.width),
          std::min(crop_size, map.height)};
}

TEST(RandomCrop, GoldenCandidatesPassAndFail) {
  const auto file = SafetensorsFile::open(test::pipeline_file("crops.safetensors"));
  int cases = 0;
  for (const auto& entry : test::pipeline_json().at("crop_cases")) {
    const std::string name = entry.at("name");
    SCOPED_TRACE(name);
    const LabelMap map = test::labels(file, name + ".label");
    const double max_ratio = entry.at("cat_max_ratio");
    const auto& offsets = entry.at("candidate_offsets_yx");
    const size_t used = entry.at("candidates_used");
    for (size_t i = 0; max_ratio < 1 && i < used && i < 10; ++i) {
      const bool last = i + 1 == used;
      EXPECT_EQ(crop_is_mixed(map, {map.width, map.height}, box_at(map, offsets[i], 8), max_ratio),
                last)
          << i;
    }
    EXPECT_EQ(crop(map, box_at(map, offsets[used - 1], 8)).labels,
              test::labels(file, name + ".cropped").labels);
    ++cases;
  }
  EXPECT_EQ(cases, 10);
}

// The first candidate that passes, at most ten tried, else the eleventh.
TEST(RandomCrop, TakesTheFirstMixedOfTenOrTheEleventh) {
  LabelMap map{40, 30, std::vector<uint16_t>(40 * 30, 1)};
  map.labels[0] = 2;  // only crops at the corner are mixed
  int mixed = 0, eleventh = 0;
  for (int seed = 0; seed < 400; ++seed) {
    std::mt19937_64 random(seed), again(seed);
    CropBox expected = draw_crop(Size{40, 30}, 25, again);
    int tested = 0;
    for (; tested < 10 && !crop_is_mixed(map, {40, 30}, expected, 0.9999); ++tested) {
      expected = draw_crop(Size{40, 30}, 25, again);
    }
    tested == 10 ? ++eleventh : ++mixed;
    EXPECT_EQ(draw_crop(map, {40, 30}, 25, 0.9999, random), expected);
    EXPECT_EQ(random(), again()) << "draws must be used up equally";
  }
  EXPECT_GT(mixed, 20);
  EXPECT_GT(eleventh, 20);
}

// Counting at the source equals counting what resize_nearest makes.
TEST(RandomCrop, ResizedLabelsNeedNotBeMade) {
  std::mt19937_64 random(8);
  int mixed = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const auto side = [&](int least, int most) {
      return least + static_cast<int>(uniform_index(random, most - least));
    };
    LabelMap map{side(1, 30), side(1, 30), {}};
    for (size_t i = 0; i < map.size(); ++i) {
      map.labels.push_back(coin(random) && i > 0 ? map.labels.back()
                           : coin(random)        ? 3
                           : coin(random)        ? 0
                                                 : kIgnoreIndex);
    }
    const Size size{side(1, 60), side(1, 60)};
    const CropBox box = draw_crop(size, side(1, 40), random);
    const LabelMap resized = resize_nearest(map, size, box);
    const int64_t threes = std::ranges::count(resized.labels, 3),
                  zeros = std::ranges::count(resized.labels, 0);
    const bool expected = threes > 0 && zeros > 0 &&
                          std::max(threes, zeros) / static_cast<double>(threes + zeros) < 0.6;
    EXPECT_EQ(crop_is_mixed(map, size, box, 0.6), expected) << trial;
    mixed += expected;
  }
  EXPECT_GT(mixed, 50);
  EXPECT_LT(mixed, 250);
}

TEST(RandomCrop, WithoutALimitTheFirstIsTaken) {
  const LabelMap map{40, 30, std::vector<uint16_t>(40 * 30, 1)};
  std::mt19937_64 random(5), again(5);
  EXPECT_EQ(draw_crop(map, {40, 30}, 8, 1.0, random), draw_crop(Size{40, 30}, 8, again));
}

TEST(RandomCrop, ReachesEveryOffset) {
  std::mt19937_64 random(6);
  std::vector<int> columns(4), rows(3);
  for (int i = 0; i < 1000; ++i) {
    const CropBox box = draw_crop(Size{11, 10}, 8, random);
    EXPECT_EQ(box.width, 8);
    ++columns.at(box.x);
    ++rows.at(box.y);
  }
  EXPECT_THAT(columns, testing::Each(testing::Gt(150)));
  EXPECT_THAT(rows, testing::Each(testing::Gt(200)));
}

TEST(RandomCrop, SmallPicturesAreTakenWhole) {
  std::mt19937_64 random(7);
  EXPECT_EQ(draw_crop(Size{6, 5}, 8, random), (CropBox{0, 0, 6, 5}));
}

}  // namespace
}  // namespace tagclip
