#include "infer/precision_trials.h"

#include <gtest/gtest.h>

#include "infer/test_model.h"

namespace tagclip {
namespace {

Image noise(int width, int height, uint32_t seed) {
  Image image{width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  for (uint8_t& value : image.pixels)
    value = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return image;
}

TEST(PrecisionTrials, TryWhatRunsHereAndStartWithFloat32) {
  SegmentationModel model(test_config(), true);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  model.parameters.initialise(generator);
  const DenseModel dense = dense_model(model);
  const InferenceModel inference{.model = packed(dense, GemmPrecision::kFloat32),
                                 .text_tower = std::make_shared<TextTower>(*model.text_encoder),
                                 .text_config = model.config.clip};
  const EmbeddedVocabulary words = embed_vocabulary(inference, {{{"cat"}}, {{"sky"}}}, {"a {}"});
  const PrecisionEvidence evidence =
      try_precisions(dense, words, {}, {noise(80, 64, 1), noise(64, 96, 2)});
  ASSERT_EQ(evidence.count(), 2);
  EXPECT_NE(evidence.photos[0], evidence.photos[1]);
  EXPECT_EQ(evidence.photos[0], photo_digest(noise(80, 64, 1)));
  ASSERT_FALSE(evidence.trials.empty());
  EXPECT_EQ(evidence.trials[0].precision, GemmPrecision::kFloat32);
  EXPECT_EQ(evidence.trials[0].share(), 1);
  size_t run_here = 0;
  for (const GemmPrecision precision : kGemmPrecisions) run_here += runs_here(precision);
  EXPECT_EQ(evidence.trials.size(), run_here);
  for (const PrecisionTrial& trial : evidence.trials) {
    EXPECT_EQ(trial.pixels, 80 * 64 + 64 * 96);
    EXPECT_GT(trial.share(), 0.9) << name_of(trial.precision);
    EXPECT_GT(trial.seconds, 0);
  }
}

using enum GemmPrecision;

GemmPrecision chosen(std::vector<PrecisionTrial> trials) {
  return fastest_faithful({{"a"}, std::move(trials)}).precision;
}

TEST(PrecisionTrials, TheFastestFaithfulOneIsTaken) {
  const PrecisionTrial plain{kFloat32, 10000, 10000, 9};
  EXPECT_EQ(chosen({plain, {kBFloat16, 9990, 10000, 3}, {kInt8, 9900, 10000, 1}}), kBFloat16);
  EXPECT_EQ(chosen({plain, {kBFloat16, 9979, 10000, 3}}), kFloat32);
  EXPECT_EQ(chosen({plain, {kBFloat16, 9990, 10000, 10}}), kFloat32);
  EXPECT_EQ(chosen({plain, {kBFloat16, 9990, 10000, 3}, {kInt8, 9980, 10000, 2}}), kInt8);
}

TEST(PrecisionTrials, AnEasyPhotoIsOutweighedByHarderOnes) {
  PrecisionEvidence evidence;
  evidence += {{"a"}, {{kFloat32, 100, 100, 9}, {kInt8, 100, 100, 1}}};
  EXPECT_EQ(fastest_faithful(evidence).precision, kInt8);
  evidence += {{"b", "c"}, {{kFloat32, 200, 200, 18}, {kInt8, 198, 200, 2}}};
  EXPECT_EQ(evidence.count(), 3);
  EXPECT_EQ(evidence.trials[1].pixels, 300);
  EXPECT_EQ(evidence.trials[1].seconds, 3);
  EXPECT_EQ(fastest_faithful(evidence).precision, kFloat32);
}

}  // namespace
}  // namespace tagclip
