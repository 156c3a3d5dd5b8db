#include "train/patch_share.h"

#include <algorithm>
#include <cmath>

namespace tagclip {

at::Tensor keep_share(const at::Tensor& tokens, double share, at::Generator generator) {
  const int64_t B = tokens.size(0), n = tokens.size(1) - 1;
  const int64_t kept = std::max<int64_t>(1, std::lround(share * n));
  if (kept == n) return tokens;
  const at::Tensor drawn = std::get<1>(at::rand({B, n}, generator).topk(kept, 1)) + 1;  // [B, kept]
  const at::Tensor index = at::cat({at::zeros({B, 1}, at::kLong), drawn}, 1);
  return tokens.gather(1, index.unsqueeze(2).expand({-1, -1, tokens.size(2)}));
}

}  // namespace tagclip
