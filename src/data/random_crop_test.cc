#include "data/random_crop.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "data/random.h"
#include "data/resize.h"
#include "data/test_golden.h"

namespace tagclip {
namespace {

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
                                                 : kIgnore);
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
