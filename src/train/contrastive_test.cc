#include "train/contrastive.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagclip {
namespace {

at::Tensor rows(std::vector<float> values, int64_t columns) {
  return at::tensor(values).view({-1, columns});
}

TEST(ContrastiveLoss, EqualsCrossEntropyWhenAllTextsDiffer) {
  const at::Tensor images = rows({1, 2, -1, 0.5, 0, 3}, 2), texts = rows({2, 1, 1, -1, -1, 4}, 2);
  const at::Tensor scale = at::scalar_tensor(5.0);
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true); };
  const at::Tensor logits = scale * l2_normalize(images).matmul(l2_normalize(texts).t());
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

}  // namespace
}  // namespace tagclip
