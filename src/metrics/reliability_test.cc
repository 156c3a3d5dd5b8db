#include "metrics/reliability.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tagclip {
namespace {

// Scores that claim `temperature` times too little or too much: the pixel is right with the
// probability tempered(score, temperature).
Reliability sample(double temperature) {
  Reliability reliability;
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < 200'000; ++i) {
    const double score = uniform(random);
    reliability.add(score, uniform(random) < tempered(score, temperature));
  }
  return reliability;
}

TEST(Reliability, TemperedScores) {
  EXPECT_EQ(tempered(0.3, 1), 0.3);
  EXPECT_NEAR(tempered(0.9, 2), 0.75, 1e-12);  // odds of 9, whose root is 3
  EXPECT_NEAR(tempered(0.5, 7), 0.5, 1e-12);
  EXPECT_LT(tempered(0, 2), 0.01);
  EXPECT_GT(tempered(1, 2), 0.99);
}

TEST(Reliability, ErrorOfScoresThatClaimTooMuch) {
  Reliability reliability;
  for (int i = 0; i < 10; ++i) reliability.add(0.9, i < 6);
  EXPECT_NEAR(reliability.calibration_error(), 0.3, 1e-12);
  for (int i = 0; i < 10; ++i) reliability.add(0.2, i < 2);
  EXPECT_NEAR(reliability.calibration_error(), 0.15, 1e-12);
}

TEST(Reliability, FindsTheTemperature) {
  for (const double temperature : {0.5, 1.0, 3.0}) {
    const Reliability reliability = sample(temperature);
    EXPECT_NEAR(reliability.best_temperature() / temperature, 1, 0.03);
    EXPECT_LT(reliability.calibration_error(reliability.best_temperature()), 0.01);
    if (temperature != 1) {
      EXPECT_GT(reliability.calibration_error(), 0.05);
    }
  }
}

TEST(Reliability, OfNothing) {
  EXPECT_TRUE(std::isnan(Reliability().calibration_error()));
  EXPECT_EQ(Reliability().best_temperature(), 1);
}

}  // namespace
}  // namespace tagclip
