#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// Some of a photo's patches, so that a step of contrastive pretraining costs that share of a whole
// one (the idea of FLIP, Li et al., 2023). tokens [B, 1 + n, D]: the class token stays first, then
// come max(1, round(share n)) of the n patches, drawn for each photo by `generator`.
at::Tensor keep_share(const at::Tensor& tokens, double share, at::Generator generator);

}  // namespace tagclip
