#include "train/contrastive.h"

#include "clip/clip.h"

namespace tagclip {
namespace {

// Cross-entropy of every row of logits [B, B], its right answers sharing the target -> [].
at::Tensor by_row(const at::Tensor& logits, const at::Tensor& matches) {
  const at::Tensor right = matches.to(logits.scalar_type());
  const at::Tensor target = right / right.sum(1, /*keepdim=*/true);
  return -(target * logits.log_softmax(1)).sum(1).mean();
}

}  // namespace

at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches) {
  const at::Tensor logits = scale * l2_normalize(images).matmul(l2_normalize(texts).t());  // [B, B]
  return (by_row(logits, matches) + by_row(logits.t(), matches.t())) / 2;
}

}  // namespace tagclip
