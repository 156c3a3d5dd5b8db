#include "train/pretrain_losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace tagclip {
namespace {

at::Tensor rows(const std::vector<float>& values, int64_t columns) {
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
  const at::Tensor images = rows({1, 0, 1, 0}, 2);
  const at::Tensor& texts = images;
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

TEST(NamesLoss, EqualsCrossEntropyWithTheTeachersProbabilities) {
  const at::Tensor images = rows({1, 2, -1, 0.5}, 2), names = rows({2, 1, 1, -1, -1, 4}, 2);
  const at::Tensor targets = rows({0.7F, 0.2F, 0.1F, 0, 0, 1}, 3);
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true); };
  const at::Tensor logits = 5 * unit(images).matmul(unit(names).t());
  const at::Tensor loss = names_loss(images, names, at::scalar_tensor(5.0), targets);
  EXPECT_NEAR(loss.item<double>(), at::cross_entropy_loss(logits, targets).item<double>(), 1e-6);
}

TEST(NamesLoss, AnImageCountsAsMuchAsTheTeacherGivesToTheseNames) {
  // Equal similarities: log 2 for the first image, half of it for the second.
  const at::Tensor images = rows({1, 0, 1, 0}, 2), names = rows({0, 1, 0, 2}, 2);
  const at::Tensor targets = rows({1, 0, 0.25F, 0.25F}, 2);
  const at::Tensor loss = names_loss(images, names, at::scalar_tensor(7.0), targets);
  EXPECT_NEAR(loss.item<double>(), 0.75 * std::log(2.0), 1e-6);
}

TEST(PatchLabelSum, WeighsPatchesByTheirLabelledPixels) {
  // One image of three patches: all of word 0; a quarter each of both words, the rest void; void.
  const at::Tensor patches = rows({1, 0, 0, 3, 5, 5}, 2).view({1, 3, 2});
  const at::Tensor words = rows({2, 0, 0, 1}, 2);
  const at::Tensor targets = rows({1, 0, 0.25F, 0.25F, 0, 0}, 2).view({1, 3, 2});
  const double certain = std::log(1 + std::exp(-3.0));  // similarities 3 and 0
  const double expected = certain + 0.25 * certain + 0.25 * (3 + certain);
  const at::Tensor sum = patch_label_sum(patches, words, at::scalar_tensor(3.0), targets);
  EXPECT_NEAR(sum.item<double>(), expected, 1e-5);
  // The second word is e times as common as the first one.
  const double near = std::log(1 + std::exp(-2.0)), far = std::log(1 + std::exp(-4.0));
  const at::Tensor balanced =
      patch_label_sum(patches, words, at::scalar_tensor(3.0), targets, at::tensor({0.0F, 1.0F}));
  EXPECT_NEAR(balanced.item<double>(), near + 0.25 * far + 0.25 * (4 + far), 1e-5);
}

at::Generator seeded(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

// What is kept of tokens whose value is 100 b + t for token t of image b.
at::Tensor kept_values(double share, uint64_t seed) {
  const at::Tensor tokens = at::arange(2).unsqueeze(1) * 100 + at::arange(17);
  const at::Tensor kept = draw_kept_tokens(2, 16, share, seeded(seed));
  return gather_rows(tokens.unsqueeze(2).expand({2, 17, 3}).to(at::kFloat), kept);
}

TEST(PatchDropout, KeepsTheClassTokenAndDifferentPatchesOfEachImage) {
  const at::Tensor kept = kept_values(0.5, 1);
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
  EXPECT_TRUE(kept_values(0.5, 1).equal(kept_values(0.5, 1)));
  EXPECT_FALSE(kept_values(0.5, 1).equal(kept_values(0.5, 2)));
}

TEST(PatchDropout, AllOfThemOrOne) {
  EXPECT_FALSE(draw_kept_tokens(2, 16, 1, seeded(1)).defined());
  EXPECT_EQ(draw_kept_tokens(2, 16, 0.01, seeded(1)).size(1), 2);
}

}  // namespace
}  // namespace tagclip
