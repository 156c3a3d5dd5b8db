#include "metrics/confusion_matrix.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr uint16_t kVoid = 0xFFFF;

TEST(ConfusionMatrix, RowsAreTruth) {
  ConfusionMatrix confusion(3);
  confusion.add(std::vector<uint16_t>{0, 0, 1, 2, 2, 2}, std::vector<uint16_t>{0, 1, 1, 2, 2, 0});
  EXPECT_EQ(confusion.at(0, 0), 1);
  EXPECT_EQ(confusion.at(0, 1), 1);
  EXPECT_EQ(confusion.at(1, 0), 0);
  EXPECT_EQ(confusion.at(2, 2), 2);
  EXPECT_EQ(confusion.at(2, 0), 1);
}

TEST(ConfusionMatrix, VoidTruthIsLeftOutAndUnlabelledIsMissed) {
  ConfusionMatrix confusion(2);
  confusion.add(std::vector<uint16_t>{kVoid, 2, 1, 1, 0}, std::vector<uint16_t>{0, 1, kVoid, 2, 0});
  EXPECT_EQ(confusion.missed(1), 2);
  EXPECT_EQ(confusion.missed(0), 0);
  EXPECT_EQ(confusion.at(0, 0), 1);
  EXPECT_EQ(confusion.at(0, 1) + confusion.at(1, 0) + confusion.at(1, 1), 0);
}

TEST(ConfusionMatrix, PartsAddUp) {
  const std::vector<uint16_t> truth{0, 1, 1, 0}, prediction{0, 0, 1, kVoid};
  ConfusionMatrix whole(2), part(2), other(2);
  whole.add(truth, prediction);
  part.add(std::span(truth).first(1), std::span(prediction).first(1));
  other.add(std::span(truth).subspan(1), std::span(prediction).subspan(1));
  part.merge(other);
  for (int t = 0; t < 2; ++t) {
    EXPECT_EQ(part.missed(t), whole.missed(t));
    for (int p = 0; p < 2; ++p) EXPECT_EQ(part.at(t, p), whole.at(t, p));
  }
}

TEST(ConfusionMatrix, RefusesWhatCannotBeCounted) {
  EXPECT_THROW(ConfusionMatrix(0), InternalError);
  EXPECT_THROW(ConfusionMatrix(-1), InternalError);
  EXPECT_THROW(ConfusionMatrix(60000), Error);
  ConfusionMatrix confusion(2);
  EXPECT_THROW(confusion.add(std::vector<uint16_t>(2), std::vector<uint16_t>(3)), InternalError);
  EXPECT_THROW(confusion.merge(ConfusionMatrix(3)), InternalError);
  EXPECT_THROW(confusion.at(0, 2), InternalError);
  EXPECT_THROW(confusion.missed(2), InternalError);
}

}  // namespace
}  // namespace tagclip
