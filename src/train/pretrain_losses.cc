#include "train/pretrain_losses.h"

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

// The cosine similarities of x [..., d] and texts [T, d], times the scale: [..., T].
at::Tensor similarities(const at::Tensor& x, const at::Tensor& texts, const at::Tensor& scale) {
  return scale * l2_normalize(x).matmul(l2_normalize(texts).t());
}

}  // namespace

at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches) {
  const at::Tensor logits = similarities(images, texts, scale);  // [B, B]
  return (cross_entropy(logits, matches) + cross_entropy(logits.t(), matches.t())) / 2;
}

at::Tensor names_loss(const at::Tensor& images, const at::Tensor& names, const at::Tensor& scale,
                      const at::Tensor& targets) {
  return -(targets * similarities(images, names, scale).log_softmax(1)).sum(1).mean();
}

at::Tensor patch_label_sum(const at::Tensor& patches, const at::Tensor& words,
                           const at::Tensor& scale, const at::Tensor& targets,
                           const at::Tensor& priors) {
  at::Tensor logits = similarities(patches, words, scale);
  if (priors.defined()) logits = logits + priors;
  return -(targets * logits.log_softmax(2)).sum();
}

at::Tensor draw_kept_tokens(int64_t images, int64_t patches, double kept_share,
                            at::Generator generator) {
  const int64_t kept = std::max<int64_t>(1, std::lround(kept_share * patches));
  if (kept == patches) return {};
  const at::Tensor drawn =
      std::get<1>(at::rand({images, patches}, std::move(generator)).topk(kept, 1)) + 1;
  return at::cat({at::zeros({images, 1}, at::kLong), drawn}, 1);
}

at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index) {
  return x.gather(1, index.unsqueeze(2).expand({-1, -1, x.size(2)}));
}

}  // namespace tagclip
