#include "model/segmentation_model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "clip/test_golden.h"
#include "model/losses.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

at::Tensor run(const SegmentationModel& model, const Dropout& dropout) {
  at::NoGradGuard no_grad;
  return model(small_pixels(), small_text(5), dropout).classes;
}

TEST(Dropout, IsTheIdentityInEvaluation) {
  const SegmentationModel model = small_model();
  EXPECT_TRUE(run(model, {}).equal(run(model, {})));
  const at::Tensor x = at::randn({8});
  EXPECT_TRUE(Dropout()(x).is_same(x));
  expect_near("probability 0", run(model, Dropout(0, seeded())), run(model, {}), 0);
}

TEST(Dropout, DependsOnItsGeneratorAlone) {
  const SegmentationModel model = small_model();
  const at::Tensor once = run(model, Dropout(0.1, seeded(7)));
  at::randn({100});  // the global generator's business is not ours
  EXPECT_TRUE(once.equal(run(model, Dropout(0.1, seeded(7)))));
  EXPECT_FALSE(once.equal(run(model, Dropout(0.1, seeded(8)))));
  EXPECT_FALSE(once.equal(run(model, {})));
}

TEST(Dropout, KeepsTheMean) {
  const at::Tensor dropped = Dropout(0.25, seeded(9))(at::ones({100000}));
  EXPECT_NEAR(dropped.mean().item<double>(), 1, 0.01);
  EXPECT_NEAR(dropped.eq(0).to(at::kFloat).mean().item<double>(), 0.25, 0.01);
}

// A dropout too rare to strike takes the path with written-out attention.
TEST(Dropout, BothPathsOfAttentionAgree) {
  const SegmentationModel model = small_model();
  expect_near("classes", run(model, Dropout(1e-12, seeded(1))), run(model, {}), 1e-5);
}

TEST(SegmentationModel, PaperProtocolHasAPresenceHeadThatLearns) {
  ModelConfig config = small_config();
  config.protocol = Protocol::kPaper;
  SegmentationModel model = small_model(config);
  model.set_trained();
  const MaskLogits logits = model(small_pixels(), small_text(5), Dropout(0.1, seeded(2)));
  EXPECT_EQ(logits.presence.sizes(), (std::vector<int64_t>{2, 5}));
  const Targets targets{at::randint(5, {2, 16, 16}, seeded(4), at::kLong),
                        at::ones({2, 16, 16}, at::kChar)};
  const Losses losses =
      segmentation_losses(logits, targets, at::scalar_tensor(10), Protocol::kPaper, {});
  ASSERT_TRUE(losses.presence.defined());
  losses.total().backward();
  for (const Parameter& parameter : model.parameters.trained()) {
    ASSERT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().isfinite().all().item<bool>()) << parameter.name;
  }
  EXPECT_GT(
      model.parameters.find("decode_head.class_embed.weight")->grad().abs().max().item<float>(), 0);
}

TEST(SegmentationModel, TheReleasedProtocolHasNone) {
  const SegmentationModel model = small_model();
  EXPECT_EQ(model.parameters.find("decode_head.class_embed.weight"), nullptr);
  EXPECT_FALSE(model(small_pixels(), small_text(2)).presence.defined());
}

TEST(SegmentationModel, WithoutSelfAttentionClassesDoNotInfluenceOneAnother) {
  at::NoGradGuard no_grad;
  ModelConfig config = small_config();
  apply_architecture("zegclip-released", config);
  const SegmentationModel model = small_model(config);
  const at::Tensor text = small_text(5);
  const at::Tensor all = model(small_pixels(), text).classes;
  const at::Tensor two = model(small_pixels(), text.narrow(0, 0, 2)).classes;
  expect_near("classes", all.narrow(1, 0, 2), two, 1e-6);
}

TEST(SegmentationModel, OneClassIsEnough) {
  at::NoGradGuard no_grad;
  EXPECT_EQ(small_model()(small_pixels(), small_text(1)).classes.sizes(),
            (std::vector<int64_t>{2, 1, 4, 4}));
}

class Initialisation : public ::testing::Test {
 protected:
  const at::Tensor& find(const std::string& name) const { return *model.parameters.find(name); }
  static ModelConfig config() {
    ModelConfig config = small_config();
    config.prompts = 200;
    return config;
  }
  const SegmentationModel model = small_model(config());
};

TEST_F(Initialisation, PromptsAreUniform) {
  const double bound = std::sqrt(6.0 / (3 * 4 * 4 + 24));
  for (const char* name : {"backbone.prompt_embeddings", "backbone.deep_prompt_embeddings"}) {
    const double largest = find(name).abs().max().item<double>();
    EXPECT_LE(largest, bound) << name;
    EXPECT_GT(largest, 0.99 * bound) << name;
    EXPECT_NEAR(find(name).std().item<double>(), bound / std::sqrt(3.0), 0.05 * bound) << name;
  }
}

TEST_F(Initialisation, LinearsOfTheHeadAreNarrowNormalAndTheirBiasesZero) {
  for (const char* name :
       {"decode_head.decoder.layers.0.linear1", "decode_head.relationship_discriptor.q_proj"}) {
    EXPECT_NEAR(find(name + std::string(".weight")).std().item<double>(), 0.02, 0.002) << name;
    EXPECT_EQ(find(name + std::string(".bias")).abs().max().item<double>(), 0) << name;
  }
}

TEST_F(Initialisation, TheTrustyTokenIsAboveZero) {
  EXPECT_GE(find("decode_head.disc_token").min().item<double>(), 0);
  EXPECT_LT(find("decode_head.disc_token").max().item<double>(), 1);
  EXPECT_GT(find("decode_head.disc_token").max().item<double>(), 0.5);
}

TEST_F(Initialisation, PromptProjectionIsKaimingNormal) {
  EXPECT_NEAR(find("backbone.prompt_proj.weight").std().item<double>(), std::sqrt(2.0 / 24), 0.03);
}

TEST_F(Initialisation, FollowsTheSeed) {
  const SegmentationModel again = small_model(config());
  for (const Parameter& parameter : model.parameters.all()) {
    EXPECT_TRUE(parameter.tensor.equal(*again.parameters.find(parameter.name))) << parameter.name;
  }
}

}  // namespace
}  // namespace tagclip
