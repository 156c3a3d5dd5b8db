#include "label_formats/split_groups.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "data/image_ops.h"
#include "data/test_dataset.h"

namespace tagclip {
namespace {

using testing::ElementsAre;

TEST(SplitGroups, NearDuplicatesShareAGroup) {
  const Image a = test::make_photo(64, 64, 1), b = test::make_photo(64, 64, 2);
  const auto hashes = {image_hash(a), image_hash(b), image_hash(resize_bilinear(a, {40, 40})),
                       image_hash(flip_horizontal(a))};
  EXPECT_THAT(near_duplicate_groups(hashes), ElementsAre(0, 1, 0, 0));
  EXPECT_TRUE(near_duplicate_groups({}).empty());
}

TEST(SplitGroups, EachClassIsLearntAndMeasured) {
  // All 40 photos have class 0; four have class 1, two class 2, one class 3.
  std::vector<size_t> groups;
  std::vector<std::vector<uint16_t>> classes;
  for (size_t i = 0; i < 40; ++i) {
    groups.push_back(i);
    classes.push_back({0});
    if (i % 10 == 0) classes.back().push_back(1);
    if (i % 20 == 1) classes.back().push_back(2);
    if (i == 2) classes.back().push_back(3);
  }
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto chosen = choose_validation(groups, classes, 0.25, seed);
    EXPECT_EQ(std::ranges::count(chosen, true), 10) << seed;
    EXPECT_EQ(chosen[0] + chosen[10] + chosen[20] + chosen[30], 1) << seed;
    EXPECT_EQ(chosen[1] + chosen[21], 1) << seed;
    EXPECT_FALSE(chosen[2]) << seed;
    EXPECT_EQ(choose_validation(groups, classes, 0.25, seed), chosen);
  }
  EXPECT_NE(choose_validation(groups, classes, 0.25, 1),
            choose_validation(groups, classes, 0.25, 2));
  EXPECT_EQ(std::ranges::count(choose_validation(groups, classes, 0, 1), true), 0);
}

TEST(SplitGroups, GroupsStayTogether) {
  const std::vector<size_t> groups = {0, 1, 0, 2, 0, 3, 4, 5, 6, 7};
  const std::vector<std::vector<uint16_t>> classes(10, {0});
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto chosen = choose_validation(groups, classes, 0.3, seed);
    EXPECT_EQ(chosen[0], chosen[2]);
    EXPECT_EQ(chosen[0], chosen[4]);
  }
}

}  // namespace
}  // namespace tagclip
