#include "infer/scores.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

using enum TrustyWeight;
const std::vector<bool> kSeenOfThree = {true, false, true};

TEST(ScoreRule, WeighsWhatTheModeNames) {
  const auto weights = [](const char* mode) {
    return score_rule(kSeenOfThree, true, parse_weighting(mode), ScoreSemantics{}).weight;
  };
  EXPECT_EQ(weights("none"), (std::vector{kNone, kNone, kNone}));
  EXPECT_EQ(weights("seen"), (std::vector{kSeen, kNone, kSeen}));
  EXPECT_EQ(weights("unseen"), (std::vector{kNone, kNovel, kNone}));
  EXPECT_EQ(weights("both"), (std::vector{kSeen, kNovel, kSeen}));
}

TEST(ScoreRule, OnlyInductiveModelsLowerSeenScores) {
  EXPECT_EQ(score_rule(kSeenOfThree, true, Weighting::kNone, ScoreSemantics{}).seen_bias,
            (std::vector{0.1f, 0.0f, 0.1f}));
  EXPECT_EQ(score_rule(kSeenOfThree, false, Weighting::kNone, ScoreSemantics{}).seen_bias,
            (std::vector{0.0f, 0.0f, 0.0f}));
}

TEST(ScoreRule, ProtocolsReadTheTrustyMapTheOtherWayRound) {
  EXPECT_TRUE(
      score_rule(kSeenOfThree, true, Weighting::kBoth, ScoreSemantics{.trusty_means_seen = true})
          .trusty_means_seen);
  EXPECT_FALSE(
      score_rule(kSeenOfThree, true, Weighting::kBoth, ScoreSemantics{}).trusty_means_seen);
}

// One pixel, two classes, by hand: sigmoid(0) = 0.5, P = sigmoid(trusty).
TEST(ScoreRule, ScoresOfAPixel) {
  const auto scores = [](const ScoreSemantics& scoring) {
    WindowLogits logits{at::zeros({1, 2, 1, 1}), at::full({1, 1, 1, 1}, std::log(3.0)), {}};
    logits.presence = at::full({1, 2}, std::log(4.0));
    const ScoreRule rule = score_rule({true, false}, true, Weighting::kBoth, scoring);
    return reference_scores(logits, {{1, 1}, {1, 1}, {{0, 0}}}, rule, {1, 1}).flatten();
  };
  const at::Tensor released = scores(ScoreSemantics{});
  EXPECT_NEAR(released[0].item<float>(), (0.5 * 0.8 - 0.1) * 0.25, 1e-6);
  EXPECT_NEAR(released[1].item<float>(), 0.5 * 0.8 * 0.75, 1e-6);
  const at::Tensor paper = scores(ScoreSemantics{.trusty_means_seen = true});
  EXPECT_NEAR(paper[0].item<float>(), (0.5 * 0.8 - 0.1) * 0.75, 1e-6);
  EXPECT_NEAR(paper[1].item<float>(), 0.5 * 0.8 * 0.25, 1e-6);
}

TEST(ParseWeighting, ListsTheModes) {
  try {
    parse_weighting("novel");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(error.hint(), "one of none, seen, unseen, both");
  }
}

}  // namespace
}  // namespace tagclip
