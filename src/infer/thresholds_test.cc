#include "infer/thresholds.h"

#include <gtest/gtest.h>

#include "image/label_map.h"

namespace tagclip {
namespace {

EmbeddedVocabulary classes(const std::vector<std::string>& names) {
  EmbeddedVocabulary vocabulary;
  for (const std::string& name : names) vocabulary.classes.push_back({{name}});
  return vocabulary;
}

TEST(Thresholds, BackgroundIsTheClassOfThatName) {
  EXPECT_EQ(background_of(classes({"cat", "background", "dog"})), 1);
  EXPECT_EQ(background_of(classes({"cat", "dog"})), kIgnoreIndex);
  EmbeddedVocabulary titled = classes({"cat", "wall"});
  titled.classes[1].title = "background";
  EXPECT_EQ(background_of(titled), 1);
}

TEST(Thresholds, LowScoresGoToTheBackground) {
  BestClass best{{1, 3}, {0, 2, 2}, {0.2f, 0.3f, 0.9f}};
  apply_threshold(0.5, 1, best);
  EXPECT_EQ(best.labels, (std::vector<uint16_t>{1, 1, 2}));
  apply_threshold(0.25, kIgnoreIndex, best);
  EXPECT_EQ(best.labels, (std::vector<uint16_t>{kIgnoreIndex, 1, 2}));
}

TEST(Thresholds, SmallClassesAreThoseOfASmallShareOfWhatIsNotBackground) {
  const std::vector<int64_t> pixels = {900, 10, 90};
  EXPECT_EQ(classes_above(0.05, pixels, 0), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(classes_above(0.1, pixels, 0), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(classes_above(0.1, pixels, kIgnoreIndex), (std::vector<bool>{true, false, false}));
}

TEST(Thresholds, PixelsOfAClassAreThoseOfAllItsRows) {
  const BestClass best{{1, 4}, {0, 1, 2, 2}, {}};
  EXPECT_EQ(count_pixels(best, {0, 0, 1}, 2), (std::vector<int64_t>{2, 2}));
}

}  // namespace
}  // namespace tagclip
