#include "model/self_training.h"

#include "base/error.h"

namespace tagclip {

at::Tensor self_training_labels(const at::Tensor& logits, const at::Tensor& labels,
                                const std::vector<int64_t>& unseen) {
  TAGCLIP_CHECK(!unseen.empty(), "self-training needs unseen classes");
  const at::Tensor index = at::tensor(unseen, labels.options());
  const at::Tensor best =
      logits.index_select(1, index).argmax(1);  // [B, H, W], the first of equals
  return at::where(labels.eq(kHidden), index.index({best}), labels);
}

}  // namespace tagclip
