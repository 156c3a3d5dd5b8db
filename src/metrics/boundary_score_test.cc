#include "metrics/boundary_score.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagclip {
namespace {

constexpr int kSide = 100;  // the tolerance is 1.06 pixels
constexpr uint16_t kVoid = 0xFFFF;

// Class 1 right of the column, class 0 left of it.
std::vector<uint16_t> split_at(int column) {
  std::vector<uint16_t> labels(kSide * kSide);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i % kSide) >= column;
  return labels;
}

double score_of(const std::vector<uint16_t>& truth, const std::vector<uint16_t>& found) {
  BoundaryScore score(3);
  score.add(truth, found, kSide);
  return score.mean();
}

TEST(BoundaryScore, OfBordersThatAreMet) {
  EXPECT_EQ(score_of(split_at(40), split_at(40)), 1);
  EXPECT_EQ(score_of(split_at(40), split_at(41)), 1);  // within the tolerance
  EXPECT_EQ(score_of(split_at(40), split_at(45)), 0);
}

TEST(BoundaryScore, OfHalfABorder) {
  // The upper half meets the border, the lower half has none: precision 1, recall 1/2 but for the
  // two pixels at the corner.
  std::vector<uint16_t> half = split_at(40);
  for (size_t i = half.size() / 2; i < half.size(); ++i) half[i] = 0;
  BoundaryScore score(3);
  score.add(split_at(40), half, kSide);
  const std::vector<double> scores = score.per_class();
  // Class 0: 50 of its pixels of the column, and the row below class 1, 60 pixels of which one
  // lies in the tolerance. Recall 51 of 100.
  EXPECT_NEAR(scores[0], 2 * (51.0 / 110) * 0.51 / (51.0 / 110 + 0.51), 0.02);
  EXPECT_TRUE(std::isnan(scores[2]));  // has no border anywhere
}

TEST(BoundaryScore, VoidMakesNoBorder) {
  std::vector<uint16_t> truth = split_at(40);
  for (size_t i = 0; i < truth.size(); ++i) {
    if (std::abs(static_cast<int>(i % kSide) - 40) <= 2) truth[i] = kVoid;
  }
  EXPECT_TRUE(std::isnan(score_of(truth, split_at(40))));
  // A prediction that differs outside of the void has a border where there is none.
  EXPECT_EQ(score_of(truth, split_at(60)), 0);
}

TEST(BoundaryScore, OtherWordsAreWrong) {
  std::vector<uint16_t> found = split_at(40);
  for (uint16_t& label : found) label = label == 0 ? 7 : 1;  // a word the set has no label for
  BoundaryScore score(2);
  score.add(split_at(40), found, kSide);
  EXPECT_EQ(score.per_class(), (std::vector<double>{0, 1}));
}

TEST(BoundaryScore, AddsUpOverProcesses) {
  BoundaryScore all(2), one(2), other(2);
  all.add(split_at(40), split_at(40), kSide);
  all.add(split_at(40), split_at(50), kSide);
  one.add(split_at(40), split_at(40), kSide);
  other.add(split_at(40), split_at(50), kSide);
  for (size_t i = 0; i < one.sums().size(); ++i) one.sums()[i] += other.sums()[i];
  EXPECT_EQ(one.mean(), all.mean());
  EXPECT_EQ(one.mean(), 0.5);
}

}  // namespace
}  // namespace tagclip
