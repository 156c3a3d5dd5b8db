#include "model/self_training.h"

#include <vector>

#include "base/error.h"

namespace tagclip {

at::Tensor self_training_labels(const at::Tensor& logits, const at::Tensor& labels,
                                const at::Tensor& unseen) {
  TAGCLIP_CHECK(unseen.numel() > 0, "self-training needs unseen classes");
  const at::Tensor maps = logits.index_select(1, unseen);  // [B, U, h, w]
  std::vector<at::Tensor> pseudo;
  // A photo at a time: of all photos the upsampled maps would take gigabytes.
  for (int64_t b = 0; b < labels.size(0); ++b) {
    const at::Tensor scores = at::upsample_bilinear2d(
        maps.narrow(0, b, 1), {labels.size(1), labels.size(2)}, /*align_corners=*/false);
    pseudo.push_back(unseen.index({scores.argmax(1)}));  // [1, H, W], the first of equals
  }
  return at::where(labels.eq(kHidden), at::cat(pseudo), labels);
}

}  // namespace tagclip
