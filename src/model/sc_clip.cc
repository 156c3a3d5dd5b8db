#include "model/sc_clip.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "clip/clip.h"
#include "model/dense_recipe.h"

namespace tagclip {
namespace {

using namespace dense;

at::Tensor patches_of(const at::Tensor& tokens) { return tokens.narrow(1, 1, tokens.size(1) - 1); }

at::Tensor class_of(const at::Tensor& tokens) { return tokens.narrow(1, 0, 1); }

// Returns the cosines between patches: [B, N, D] -> [B, N, N].
at::Tensor similarity(const at::Tensor& x) {
  const at::Tensor unit = l2_normalize(x);
  return unit.bmm(unit.transpose(1, 2));
}

// Sets small similarities to 0.
at::Tensor kept(const at::Tensor& similarity) {
  return similarity.masked_fill(similarity < kLeastSimilarity, 0);
}

// Returns the similarities as weights: small ones are dropped, and rows sum to 1.
at::Tensor mixing_weights(const at::Tensor& similarity) {
  const at::Tensor weights = kept(similarity);
  return weights / (weights.sum(-1, /*keepdim=*/true) + kEpsilon);
}

// Returns the similarities as attention weights, sharpened; those below their mean are dropped. A
// patch always attends to itself: where all are equal, rounding alone decides the rest.
at::Tensor sharpened(const at::Tensor& similarity) {
  const at::Tensor above = similarity - similarity.mean({1, 2}, /*keepdim=*/true);
  at::Tensor dropped = above < 0;
  dropped.diagonal(0, 1, 2).fill_(false);
  return (kContrast * above)
      .masked_fill(dropped, -std::numeric_limits<double>::infinity())
      .softmax(-1);
}

// Returns the tokens of windows that are joined, as one sequence: [B, N, D] -> [1, B N, D].
at::Tensor gathered(const at::Tensor& x, const PatchLayout& layout) {
  return layout.joined.empty() ? x : x.reshape({1, -1, x.size(2)});
}

// Holds what both methods have in common: similarities that say which patches belong together, and
// the patches they are applied to. Everything is gathered where windows are joined.
struct Calibration {
  Calibration(const TrunkTokens& trunk, const PatchLayout& patch_layout,
              const at::Tensor& is_outlier)
      : layout(patch_layout),
        S(similarity(gathered(mend(patches_of(trunk.late), is_outlier, layout.grid), layout))),
        T(mixing_weights(similarity(gathered(patches_of(trunk.early), layout)))),
        mixed(mixing_weights(S).bmm(
            gathered(mend(patches_of(trunk.last), is_outlier, layout.grid), layout))),
        middle(gathered(patches_of(trunk.middle), layout)),
        windows(trunk.last.size(0)) {}

  // Returns T (patches + a share of their window's class token); tokens [B, 1 + N, D].
  at::Tensor calibrated(const at::Tensor& patches, const at::Tensor& tokens) const {
    const at::Tensor of_patches =
        class_of(tokens).expand({-1, tokens.size(1) - 1, -1});  // [B, N, D]
    return T.bmm(patches + kClassShare * gathered(of_patches, layout));
  }
  // Returns the windows apart again: [B, N, D].
  at::Tensor scattered(const at::Tensor& x) const { return x.reshape({windows, -1, x.size(2)}); }

  const PatchLayout& layout;
  at::Tensor S, T;
  at::Tensor mixed;   // x of the recipe, from the last patches
  at::Tensor middle;  // the patches of R
  int64_t windows;
};

}  // namespace

at::Tensor attend_to_alike(const at::Tensor& x, const at::Tensor& values,
                           const std::optional<at::Tensor>& bias) {
  return at::scaled_dot_product_attention(x, x, values, bias);
}

TrunkRecorder::TrunkRecorder(int64_t layers, bool all)
    : last_(TrunkBlocks(layers).last),
      early_(TrunkBlocks(layers).early),
      late_(TrunkBlocks(layers).late),
      middle_end_(TrunkBlocks(layers).middle_end),
      all_(all) {}

void TrunkRecorder::record(int64_t n, const at::Tensor& tokens) {
  if (n == last_) tokens_.last = tokens;
  if (!all_) return;
  if (n == last_ - 1) tokens_.before = tokens.clone();
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

at::Tensor attention_outliers(const at::Tensor& tokens, const LayerNorm& ln_1,
                              const SelfAttention& attention) {
  const auto [queries, keys, values] = attention.split(ln_1(tokens));  // [B, heads, 1 + N, e]
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  const at::Tensor weights =
      (scale * queries.matmul(keys.transpose(2, 3))).softmax(-1).mean(1);  // [B, 1 + N, 1 + N]
  const int64_t N = tokens.size(1) - 1;
  const at::Tensor of_class = kClassWeight * weights.select(1, 0).narrow(1, 1, N);  // [B, N]
  const at::Tensor of_itself = weights.diagonal(0, 1, 2).narrow(1, 1, N);
  const at::Tensor candidate = of_class > of_itself;
  const auto [strongest, places] =
      of_class.masked_fill(candidate.logical_not(), 0).topk(std::min(kMostOutliers, N), 1);
  return at::zeros_like(candidate).scatter(1, places, true).logical_and(candidate);
}

at::Tensor sc_clip_patches(const TrunkTokens& trunk, const PatchLayout& layout,
                           const LayerNorm& ln_1, const SelfAttention& attention) {
  const Calibration by(trunk, layout, outliers(outlier_scores(patches_of(trunk.last))));
  const at::Tensor weights = sharpened(by.S);
  const auto attend = [&](const at::Tensor& x) {
    const auto [keys, values] = attention.keys_values(ln_1(x));
    return attention.out_proj(
        (merge_heads(attend_to_alike(keys, values)) + weights.bmm(merge_heads(values))) / 2);
  };
  return by.scattered(by.calibrated(attend(by.mixed), trunk.last) +
                      by.calibrated(attend(by.middle), trunk.middle));
}

at::Tensor sfp_patches(const TrunkTokens& trunk, const PatchLayout& layout,
                       const at::Tensor& is_outlier, const LayerNorm& ln_1,
                       const SelfAttention& attention) {
  const Calibration by(trunk, layout, is_outlier);
  const at::Tensor weights = sharpened(kept(by.S));
  const auto [queries, keys, values] = attention.split(ln_1(by.mixed));
  const at::Tensor y = attention.out_proj(
      (merge_heads(attend_to_alike(keys, values) + attend_to_alike(queries, values)) +
       weights.bmm(merge_heads(values))) /
      3);
  const at::Tensor middle_values = attention.keys_values(ln_1(by.middle)).values;
  const at::Tensor y2 = attention.out_proj(weights.bmm(merge_heads(middle_values)));
  return by.scattered(by.calibrated(y, trunk.last) + by.calibrated(y2, trunk.middle));
}

}  // namespace tagclip
