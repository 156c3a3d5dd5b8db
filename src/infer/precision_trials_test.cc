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
  InferenceModel inference;
  inference.dense = model.packed(MatrixPrecision::kFloat32);
  const EmbeddedVocabulary words = embed_vocabulary(inference, {{{"cat"}}, {{"sky"}}}, {"a {}"});
  const auto trials = try_precisions(model, words, {}, {noise(80, 64, 1), noise(64, 96, 2)});
  ASSERT_FALSE(trials.empty());
  EXPECT_EQ(trials[0].precision, MatrixPrecision::kFloat32);
  EXPECT_EQ(trials[0].equal, 1);
  size_t run_here = 0;
  for (const MatrixPrecision precision : kMatrixPrecisions) run_here += runs_here(precision);
  EXPECT_EQ(trials.size(), run_here);
  for (const PrecisionTrial& trial : trials) {
    EXPECT_GT(trial.equal, 0.9) << name_of(trial.precision);
    EXPECT_GT(trial.seconds, 0);
  }
}

TEST(PrecisionTrials, TheFastestFaithfulOneIsTaken) {
  using enum MatrixPrecision;
  EXPECT_EQ(fastest_faithful({{kFloat32, 1, 9}, {kBfloat16, 0.999, 3}, {kInt8, 0.99, 1}}).precision,
            kBfloat16);
  EXPECT_EQ(fastest_faithful({{kFloat32, 1, 9}, {kBfloat16, 0.9979, 3}}).precision, kFloat32);
  EXPECT_EQ(fastest_faithful({{kFloat32, 1, 9}, {kBfloat16, 0.999, 10}}).precision, kFloat32);
  EXPECT_EQ(
      fastest_faithful({{kFloat32, 1, 9}, {kBfloat16, 0.999, 3}, {kInt8, 0.998, 2}}).precision,
      kInt8);
}

}  // namespace
}  // namespace tagclip
