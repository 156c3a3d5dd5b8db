#include "train/contrastive.h"

#include <algorithm>
#include <cmath>

#include "clip/clip.h"

namespace tagclip {
namespace {

// The mean cross-entropy of the rows of logits [B, B]; a row's right answers share its target. [].
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& matches) {
  const at::Tensor right = matches.to(logits.scalar_type());
  const at::Tensor target = right / right.sum(1, /*keepdim=*/true);
  return -(target * logits.log_softmax(1)).sum(1).mean();
}

}  // namespace

at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches) {
  const at::Tensor logits = scale * l2_normalize(images).matmul(l2_normalize(texts).t());  // [B, B]
  return (cross_entropy(logits, matches) + cross_entropy(logits.t(), matches.t())) / 2;
}

at::Tensor patch_dropout(const at::Tensor& tokens, double kept_share, at::Generator generator) {
  const int64_t B = tokens.size(0), n = tokens.size(1) - 1;
  const int64_t kept = std::max<int64_t>(1, std::lround(kept_share * n));
  if (kept == n) return tokens;
  const at::Tensor drawn = std::get<1>(at::rand({B, n}, generator).topk(kept, 1)) + 1;  // [B, kept]
  const at::Tensor index = at::cat({at::zeros({B, 1}, at::kLong), drawn}, 1);
  return tokens.gather(1, index.unsqueeze(2).expand({-1, -1, tokens.size(2)}));
}

}  // namespace tagclip
