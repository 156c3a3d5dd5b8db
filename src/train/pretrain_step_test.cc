#include "train/pretrain_step.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/random.h"
#include "train/pretrain_losses.h"
#include "train/test_pretraining.h"
#include "train/weight_average.h"

namespace tagclip {
namespace {

// Two sources with captions, names and labels, and a small CLIP.
class PretrainStepTest : public ::testing::Test {
 protected:
  PretrainStepTest() {
    config_.batch = 6;
    config_.clip = test::smallest_clip(/*vision_layers=*/2);
    config_.image_size = 32;
    config_.loss = {.contrastive = 1, .names = 0.5, .labels = 2};
    files_.text("names.txt", "cat\ndog\ncow\n");
    files_.text("soft.tsv", "tin_1\t0:0.9\n2\t1:0.5\n");
    config_.names = {.list = files_.path("names.txt"), .soft = files_.path("soft.tsv")};
    files_.text("set/classes.txt", "grass\nsky\n");
    files_.text("set/train.txt", "1\n2\n");
    files_.text("set/captions.tsv", "2\ta lawn\n");
    for (const char* name : {"1", "2"}) {
      files_.photo(std::string("set/images/") + name + ".png", 8, 8, 10);
      files_.labels(std::string("set/labels/") + name + ".png", 8, 8, {0, 0, 0, 0, 1, 1, 255, 1});
    }
    config_.sources = {
        {.name = "a",
         .shards = {files_.shard("a.tar", {{"tin_1", 50, "cat"}, {"tin_2", 90, "a red dog"}})}},
        {.name = "b", .data = {.folder = files_.path("set")}}};
  }

  Clip clip() const {
    Clip clip(config_.clip);
    at::Generator generator = at::detail::createCPUGenerator(1);
    clip.parameters.initialise(generator);
    return clip;
  }

  PretrainBatch batch(int64_t step = 0) const {
    const PretrainSources sources(config_);
    return PretrainBatches(config_, sources).batch(step, config_.image_size);
  }

  struct Outcome {
    PretrainLosses losses;
    std::vector<Parameter> parameters;
  };
  Outcome compute(Clip& clip, const PretrainBatch& batch) const {
    const PretrainStep step(config_, clip);
    return {step.compute_gradients(batch, 0), step.parameters()};
  }

  test::PretrainFiles files_;
  PretrainConfig config_;
};

TEST_F(PretrainStepTest, ChunksHaveTheGradientsOfTheWholeBatch) {
  config_.patch_share = 0.5;
  Clip whole = clip(), chunked = clip();
  const PretrainBatch drawn = batch();
  const Outcome expected = compute(whole, drawn);
  for (const int64_t chunk : {1, 4}) {
    config_.gradient_chunk = chunk;
    Clip other = clip();
    const Outcome found = compute(other, drawn);
    EXPECT_NEAR(found.losses.total, expected.losses.total, 1e-5);
    ASSERT_EQ(found.parameters.size(), expected.parameters.size());
    for (size_t i = 0; i < found.parameters.size(); ++i) {
      const at::Tensor a = found.parameters[i].tensor.grad(),
                       b = expected.parameters[i].tensor.grad();
      ASSERT_TRUE(a.defined() && b.defined()) << found.parameters[i].name;
      EXPECT_LT((a - b).norm().item<double>(), 1e-5 * (b.norm().item<double>() + 1e-3))
          << found.parameters[i].name;
    }
  }
}

TEST_F(PretrainStepTest, TheTotalIsTheWeightedSum) {
  Clip towers = clip();
  const PretrainLosses losses = compute(towers, batch()).losses;
  EXPECT_NEAR(losses.total, *losses.contrastive + 0.5 * *losses.names + 2 * *losses.labels, 1e-5);
}

TEST_F(PretrainStepTest, PatchesAreComparedWithTheWordsOfTheirSet) {
  config_.loss = {.contrastive = 0, .names = 0, .labels = 1};
  config_.sources.erase(config_.sources.begin());
  config_.names = {};
  Clip towers = clip();
  const PretrainBatch drawn = batch();
  const double found = compute(towers, drawn).losses.total;
  // The same out of the towers' parts, with a loop over the patches.
  const at::NoGradGuard no_grad;
  const at::Tensor patches = l2_normalize(
      towers.visual.ln_post(towers.visual.hidden(drawn.pixels)).matmul(towers.visual.proj));
  const at::Tensor words = l2_normalize(towers.text.encode(drawn.words));
  double sum = 0, labelled = 0;
  for (int64_t p = 0; p < patches.size(0); ++p) {
    for (int64_t n = 0; n < 16; ++n) {
      const at::Tensor logits =
          words.index_select(0, drawn.sets[0].words).mv(patches[p][1 + n]) / 0.07;
      const at::Tensor target = drawn.sets[0].targets[p][n];
      sum -= (target * logits.log_softmax(0)).sum().item<double>();
      labelled += target.sum().item<double>();
    }
  }
  EXPECT_GT(labelled, 1);
  EXPECT_NEAR(found, sum / labelled, 1e-4);
}

TEST_F(PretrainStepTest, DroppedPatchesTakeTheirLabelsAlong) {
  // A CLIP whose labels are learnt with half of the patches knows them in all of them: were labels
  // mixed up, the photo's left and right could not be told apart.
  config_.loss = {.contrastive = 0, .names = 0, .labels = 1};
  config_.names = {};
  config_.sources.erase(config_.sources.begin());
  config_.patch_share = 0.25;
  Clip towers = clip();
  const PretrainBatch drawn = batch();
  at::Tensor kept = draw_kept_tokens(
      6, 16, 0.25, at::detail::createCPUGenerator(sample_random(config_.seed, 0, 6)()));
  const double found = compute(towers, drawn).losses.total;
  const at::NoGradGuard no_grad;
  at::Tensor x = gather_rows(towers.visual.embed(drawn.pixels), kept);
  for (const ResidualBlock& block : towers.visual.transformer.resblocks) x = block(x, false);
  const at::Tensor patches = l2_normalize(towers.visual.ln_post(x).matmul(towers.visual.proj));
  const at::Tensor words = l2_normalize(towers.text.encode(drawn.words));
  double sum = 0, labelled = 0;
  for (int64_t p = 0; p < 6; ++p) {
    for (int64_t k = 1; k < 5; ++k) {
      const at::Tensor target = drawn.sets[0].targets[p][kept[p][k].item<int64_t>() - 1];
      const at::Tensor logits = words.index_select(0, drawn.sets[0].words).mv(patches[p][k]) / 0.07;
      sum -= (target * logits.log_softmax(0)).sum().item<double>();
      labelled += target.sum().item<double>();
    }
  }
  EXPECT_NEAR(found, sum / labelled, 1e-4);
}

TEST_F(PretrainStepTest, TemperaturesStayWithinLimits) {
  Clip towers = clip();
  PretrainStep step(config_, towers);
  const at::NoGradGuard no_grad;
  ASSERT_EQ(step.parameters().size(), towers.parameters.all().size() + 2);
  for (const Parameter& parameter : step.parameters()) {
    if (parameter.name.ends_with("logit_scale")) at::Tensor(parameter.tensor).fill_(9);
  }
  step.limit_temperatures();
  for (const Parameter& parameter : step.parameters()) {
    if (!parameter.name.ends_with("logit_scale")) continue;
    EXPECT_NEAR(parameter.tensor.item<double>(), std::log(100.0), 1e-6) << parameter.name;
  }
}

TEST_F(PretrainStepTest, TheAverageFollowsTheWeights) {
  Clip towers = clip();
  WeightAverage average(towers, 0.9);
  const at::NoGradGuard no_grad;
  const at::Tensor weights = towers.visual.proj;
  const at::Tensor start = weights.clone();
  weights.add_(1);
  average.update(towers, 1);  // decay 2 / 11
  EXPECT_TRUE(at::allclose(average.clip().visual.proj, start + 9.0 / 11));
  average.update(towers, 1000);
  EXPECT_TRUE(at::allclose(average.clip().visual.proj, start + 9.0 / 11 + 0.1 * 2 / 11));
  EXPECT_EQ(average.parameters().front().name, "ema." + towers.parameters.all().front().name);
}

}  // namespace
}  // namespace tagclip
