#include "model/segmentation_model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tagclip
