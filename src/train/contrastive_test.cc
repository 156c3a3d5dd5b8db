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
  const at::Tensor logits = scale * unit(images).matmul(unit(texts).t());
  const at::Tensor index = at::arange(3);
  const at::Tensor expected =
      (at::cross_entropy_loss(logits, index) + at::cross_entropy_loss(logits.t(), index)) / 2;
  EXPECT_NEAR(contrastive_loss(images, texts, scale, index).item<double>(), expected.item<double>(),
              1e-6);
}

TEST(ContrastiveLoss, SharesTheTargetAmongEqualTexts) {
  // Two pairs with the same text and the same embeddings: nothing is left to learn but log 2.
  const at::Tensor images = rows({1, 0, 1, 0}, 2), texts = images;
  const at::Tensor loss =
      contrastive_loss(images, texts, at::scalar_tensor(10.0), at::tensor({7, 7}));
  EXPECT_NEAR(loss.item<double>(), std::log(2.0), 1e-6);
}

TEST(ContrastiveLoss, IgnoresTheLengthOfEmbeddings) {
  const at::Tensor images = rows({1, 2, -1, 0.5}, 2), texts = rows({2, 1, 1, -1}, 2);
  const at::Tensor group = at::arange(2), scale = at::scalar_tensor(3.0);
  EXPECT_NEAR(contrastive_loss(images, texts, scale, group).item<double>(),
              contrastive_loss(10 * images, 0.1 * texts, scale, group).item<double>(), 1e-6);
}

}  // namespace
}  // namespace tagclip
