#include "train/contrastive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace tagclip {
namespace {

at::Tensor rows(std::vector<float> values, int64_t columns) {
  return at::tensor(values).view({-1, columns});
}

TEST(ContrastiveLoss, EqualsCrossEntropyWhenAllTextsDiffer) {
  const at::Tensor images = rows({1, 2, -1, 0.5, 0, 3}, 2), texts = rows({2, 1, 1, -1, -1, 4}, 2);
  const at::Tensor scale = at::scalar_tensor(5.0);
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true); };
  const at::Tensor logits = scale * unit(images).matmul(unit(texts).t());
  const at::Tensor index = at::arange(3);
  const at::Tensor expected =
      (at::cross_entropy_loss(logits, index) + at::cross_entropy_loss(logits.t(), index)) / 2;
  EXPECT_NEAR(contrastive_loss(images, texts, scale, at::eye(3, at::kBool)).item<double>(),
              expected.item<double>(), 1e-6);
}

TEST(ContrastiveLoss, SharesTheTargetAmongMatches) {
  // Two photos and texts that all fit, with the same embeddings: nothing is left to learn but
  // log 2.
  const at::Tensor images = rows({1, 0, 1, 0}, 2), texts = images;
  const at::Tensor loss =
      contrastive_loss(images, texts, at::scalar_tensor(10.0), at::ones({2, 2}, at::kBool));
  EXPECT_NEAR(loss.item<double>(), std::log(2.0), 1e-6);
}

TEST(ContrastiveLoss, ATextMayFitAPhotoWhoseTextDoesNotFitItsOwn) {
  // Text 1 ("dog") describes both photos, text 0 ("poodle") only its own. All similarities are
  // equal, so every direction costs log 2; the gradients show who attracts whom.
  const at::Tensor images = rows({1, 0, 1, 0}, 2).requires_grad_(), texts = rows({0, 1, 0, 1}, 2);
  const at::Tensor matches = at::tensor({1, 1, 0, 1}).view({2, 2}).to(at::kBool);
  contrastive_loss(images, texts, at::scalar_tensor(1.0), matches).backward();
  // Photo 0 is pulled by one whole target as its own, and half of text 1's against a softmax half.
  const at::Tensor pull = -images.grad().select(1, 1);
  EXPECT_NEAR(pull[0].item<double>(), 0.125, 1e-6);
  EXPECT_NEAR(pull[1].item<double>(), -0.125, 1e-6);
}

TEST(ContrastiveLoss, IgnoresTheLengthOfEmbeddings) {
  const at::Tensor images = rows({1, 2, -1, 0.5}, 2), texts = rows({2, 1, 1, -1}, 2);
  const at::Tensor matches = at::eye(2, at::kBool), scale = at::scalar_tensor(3.0);
  EXPECT_NEAR(contrastive_loss(images, texts, scale, matches).item<double>(),
              contrastive_loss(10 * images, 0.1 * texts, scale, matches).item<double>(), 1e-6);
}

at::Generator seeded(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

// Token t of image b has the value 100 b + t.
at::Tensor numbered() {
  const at::Tensor tokens = at::arange(2).unsqueeze(1) * 100 + at::arange(17);
  return tokens.unsqueeze(2).expand({2, 17, 3}).to(at::kFloat);
}

TEST(PatchDropout, KeepsTheClassTokenAndDifferentPatchesOfEachImage) {
  const at::Tensor kept = patch_dropout(numbered(), 0.5, seeded(1));
  ASSERT_EQ(kept.sizes(), (at::IntArrayRef{2, 9, 3}));
  for (int64_t b = 0; b < 2; ++b) {
    EXPECT_EQ(kept[b][0][0].item<float>(), 100 * b);
    std::set<float> patches;
    for (int64_t t = 1; t < 9; ++t) patches.insert(kept[b][t][2].item<float>());
    EXPECT_EQ(patches.size(), 8u);
    EXPECT_GE(*patches.begin(), 100 * b + 1);
    EXPECT_LE(*patches.rbegin(), 100 * b + 16);
  }
}

TEST(PatchDropout, DependsOnTheGeneratorAlone) {
  EXPECT_TRUE(
      patch_dropout(numbered(), 0.5, seeded(1)).equal(patch_dropout(numbered(), 0.5, seeded(1))));
  EXPECT_FALSE(
      patch_dropout(numbered(), 0.5, seeded(1)).equal(patch_dropout(numbered(), 0.5, seeded(2))));
}

TEST(PatchDropout, AllOfThemOrOne) {
  EXPECT_TRUE(patch_dropout(numbered(), 1, seeded(1)).equal(numbered()));
  EXPECT_EQ(patch_dropout(numbered(), 0.01, seeded(1)).size(1), 2);
}

}  // namespace
}  // namespace tagclip
