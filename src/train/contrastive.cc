#include "train/contrastive.h"

#include "clip/clip.h"

namespace tagclip {

at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& group) {
  const at::Tensor logits = scale * unit(images).matmul(unit(texts).t());  // [B, B]
  const at::Tensor same = group.unsqueeze(0).eq(group.unsqueeze(1)).to(logits.scalar_type());
  const at::Tensor target = same / same.sum(1, /*keepdim=*/true);  // symmetric: groups are
  const at::Tensor by_image = -(target * logits.log_softmax(1)).sum(1).mean();
  const at::Tensor by_text = -(target * logits.log_softmax(0)).sum(0).mean();
  return (by_image + by_text) / 2;
}

}  // namespace tagclip
