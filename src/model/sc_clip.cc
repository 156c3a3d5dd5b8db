#include "model/sc_clip.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "clip/clip.h"

namespace tagclip {
namespace {

// Constants of the published code.
constexpr int64_t kNeighbours = 30;
constexpr double kOutlierQuantile = 0.95;
constexpr double kLeastSimilarity = 0.4;
constexpr double kContrast = 3;
constexpr double kClassShare = 0.3;
constexpr double kEpsilon = 1e-6;

at::Tensor patches_of(const at::Tensor& tokens) { return tokens.narrow(1, 1, tokens.size(1) - 1); }

at::Tensor class_of(const at::Tensor& tokens) { return tokens.narrow(1, 0, 1); }

// Cosines between patches: [B, N, D] -> [B, N, N].
at::Tensor similarity(const at::Tensor& x) {
  const at::Tensor unit = l2_normalize(x);
  return unit.bmm(unit.transpose(1, 2));
}

// The similarities as weights: small ones are dropped, and rows sum to 1.
at::Tensor mixing_weights(const at::Tensor& similarity) {
  const at::Tensor kept = similarity.masked_fill(similarity < kLeastSimilarity, 0);
  return kept / (kept.sum(-1, /*keepdim=*/true) + kEpsilon);
}

// The similarities as attention weights, sharpened; those below their mean are dropped. A patch
// always attends to itself: where all similarities are equal, rounding alone decides the rest.
at::Tensor sharpened(const at::Tensor& similarity) {
  const at::Tensor above = similarity - similarity.mean({1, 2}, /*keepdim=*/true);
  at::Tensor dropped = above < 0;
  dropped.diagonal(0, 1, 2).fill_(false);
  return (kContrast * above)
      .masked_fill(dropped, -std::numeric_limits<double>::infinity())
      .softmax(-1);
}

// Attention of patches [B, N, D] by the mean of `weights` [B, N, N] and of their keys' similarity.
at::Tensor attend(const at::Tensor& x, const at::Tensor& weights, const LayerNorm& ln_1,
                  const SelfAttention& attention) {
  const auto [keys, values] = attention.keys_values(ln_1(x));
  const at::Tensor by_keys =
      merge_heads(at::scaled_dot_product_attention(keys, keys, values));  // [B, N, D]
  const at::Tensor by_weights = weights.bmm(merge_heads(values));
  return attention.out_proj((by_keys + by_weights) / 2);
}

}  // namespace

TrunkRecorder::TrunkRecorder(int64_t layers, bool all)
    : last_(layers - 1),
      early_(std::min(last_, (layers + 1) / 3)),
      late_(std::max(early_, layers - 3)),
      middle_end_(std::max(early_, layers - 2)),
      all_(all) {
  TAGCLIP_CHECK(layers > 0, "a tower has blocks");
}

void TrunkRecorder::record(int64_t n, const at::Tensor& tokens) {
  if (n == last_) tokens_.last = tokens;
  if (!all_) return;
  if (n == early_) tokens_.early = tokens.clone();
  if (n == late_) tokens_.late = tokens.clone();
  if (n < early_ || n > middle_end_) return;
  tokens_.middle = tokens_.middle.defined() ? tokens_.middle.add_(tokens) : tokens.clone();
}

at::Tensor outlier_scores(const at::Tensor& x) {
  const int64_t N = x.size(1), K = std::min(kNeighbours, N - 1);
  if (K == 0) return at::zeros({x.size(0), N}, x.options());
  // Distances do not change with the mean, whose digits the product would lose.
  const at::Tensor centred = x - x.mean(1, /*keepdim=*/true);
  const at::Tensor squares = centred.square().sum(-1, /*keepdim=*/true);  // [B, N, 1]
  at::Tensor distances =
      (squares + squares.transpose(1, 2) - 2 * centred.bmm(centred.transpose(1, 2))).clamp_min(0);
  distances.diagonal(0, 1, 2).fill_(std::numeric_limits<double>::infinity());
  const auto [nearest, neighbours] = distances.topk(K, /*dim=*/-1, /*largest=*/false);  // [B, N, K]
  const at::Tensor reach = nearest.select(2, K - 1);                                    // d: [B, N]
  const at::Tensor around =
      reach.reciprocal().unsqueeze(1).expand({-1, N, -1}).gather(2, neighbours);
  return reach * around.mean(-1);
}

at::Tensor outliers(const at::Tensor& scores) {
  return scores > at::quantile(scores, kOutlierQuantile, /*dim=*/1, /*keepdim=*/true);
}

at::Tensor mend(const at::Tensor& x, const at::Tensor& is_outlier, Extent grid) {
  TAGCLIP_CHECK(x.size(1) == grid.height * grid.width, "patches of that grid");
  const auto sum_around = [](const at::Tensor& map) {  // of the nine values around, outside 0
    return at::avg_pool2d(map, {3, 3}, {1, 1}, {1, 1}, /*ceil_mode=*/false,
                          /*count_include_pad=*/true, /*divisor_override=*/1);
  };
  const auto as_map = [&](const at::Tensor& rows) {  // [B, N, C] -> [B, C, h, w]
    return rows.transpose(1, 2).unflatten(2, {grid.height, grid.width});
  };
  const auto as_rows = [](const at::Tensor& map) { return map.flatten(2).transpose(1, 2); };
  const at::Tensor outlier = is_outlier.unsqueeze(2);  // [B, N, 1]
  const at::Tensor sound = outlier.logical_not().to(x.scalar_type());
  const at::Tensor count = as_rows(sum_around(as_map(sound)));
  const at::Tensor mean = as_rows(sum_around(as_map(x * sound))) / count.clamp_min(1);
  return at::where(outlier.logical_and(count > 0), mean, x);
}

at::Tensor sc_clip_patches(const TrunkTokens& trunk, Extent grid, const LayerNorm& ln_1,
                           const SelfAttention& attention) {
  const at::Tensor last = patches_of(trunk.last);
  const at::Tensor is_outlier = outliers(outlier_scores(last));
  const at::Tensor S = similarity(mend(patches_of(trunk.late), is_outlier, grid));
  const at::Tensor weights = sharpened(S);
  const at::Tensor x = mixing_weights(S).bmm(mend(last, is_outlier, grid));
  const at::Tensor T = mixing_weights(similarity(patches_of(trunk.early)));

  const auto calibrated = [&](const at::Tensor& patches, const at::Tensor& class_token) {
    return T.bmm(attend(patches, weights, ln_1, attention) + kClassShare * class_token);
  };
  return calibrated(x, class_of(trunk.last)) +
         calibrated(patches_of(trunk.middle), class_of(trunk.middle));
}

}  // namespace tagclip
