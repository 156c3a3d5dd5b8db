#include "outputs/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tagclip {
namespace {

// A letter is a class, a dot is unlabelled.
LabelMap map_of(const std::vector<std::string>& rows) {
  LabelMap map{static_cast<int>(rows[0].size()), static_cast<int>(rows.size()), {}};
  for (const std::string& row : rows) {
    for (const char c : row) {
      map.labels.push_back(c == '.' ? kIgnoreIndex : static_cast<uint16_t>(c - 'a'));
    }
  }
  return map;
}

TEST(Regions, AreClassesOrConnectedParts) {
  const LabelMap map = map_of({"ab.b",  //
                               "ba.b",  //
                               ".aab"});
  const Regions classes = find_regions(map, false);
  ASSERT_EQ(classes.all.size(), 2U);
  EXPECT_EQ(classes.all[1].label, 1);
  EXPECT_EQ(classes.all[1].area, 5);
  EXPECT_EQ(classes.all[1].width, 4);

  const Regions parts = find_regions(map, true);
  ASSERT_EQ(parts.all.size(), 3U) << "the a's are connected at corners, the b's at the left, too";
  EXPECT_EQ(parts.all[0].area, 4);
  EXPECT_EQ(parts.all[1].area, 2);
  EXPECT_EQ(parts.all[2].area, 3);
  EXPECT_EQ(parts.all[2].left, 3);
  EXPECT_EQ(parts.all[2].height, 3);
  EXPECT_EQ(parts.of_pixel[2], 0U);
  const RegionMask mask = mask_of(parts, 1);
  EXPECT_EQ(mask.inside, (std::vector<uint8_t>{0, 1, 1, 0}));

  EXPECT_EQ(find_regions(map, true, 1).all.size(), 1U) << "the class that is left out";
}

TEST(Regions, ScoresAreMeans) {
  Regions regions = find_regions(map_of({"ab", "b."}), false);
  set_mean_scores({0.25F, 0.5F, 1.0F, 0.125F}, regions);
  EXPECT_EQ(regions.all[0].score, 0.25);
  EXPECT_EQ(regions.all[1].score, 0.75);
}

TEST(SmallRegions, JoinTheClassOfTheirLongestBorder) {
  LabelMap map = map_of({"aaaab",  //
                         "acabb",  //
                         "aaabd",  //
                         "..e.."});
  merge_small_regions(2, map);
  EXPECT_EQ(map.labels, map_of({"aaaab",  //
                                "aaabb",  //
                                "aaabb",  //
                                "..a.."})
                            .labels);
  LabelMap alone = map_of({"...", ".a.", "..."});
  merge_small_regions(9, alone);
  EXPECT_EQ(alone.labels[4], 0) << "there is nothing to join";
}

// Two small parts that become one are large enough together.
TEST(SmallRegions, GrowWhileTheyAreMerged) {
  LabelMap map = map_of({"abbbbb",  //
                         "cccccc",  //
                         "cccccc"});
  merge_small_regions(3, map);
  EXPECT_EQ(map.labels[0], 1) << "one side each: the smaller label of equals";
  LabelMap noise{64, 64, {}};
  uint32_t state = 1;
  for (int i = 0; i < 64 * 64; ++i) {
    state = state * 1664525U + 1013904223U;
    noise.labels.push_back(static_cast<uint16_t>(state >> 24 & 3));
  }
  merge_small_regions(50, noise);
  for (const LabelRegion& region : find_regions(noise, true).all) EXPECT_GE(region.area, 50);
}

TEST(SmallRegions, AreDropped) {
  LabelMap map = map_of({"aab", "aac"});
  drop_small_regions(2, kIgnoreIndex, map);
  EXPECT_EQ(map.labels, map_of({"aa.", "aa."}).labels);
}

}  // namespace
}  // namespace tagclip
