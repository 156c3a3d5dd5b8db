#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "clip/transformer.h"
#include "kernels/blend/blend.h"

namespace tagclip {

// This header declares the steps of SC-CLIP (Bai et al. 2024, "Self-Calibrated CLIP for
// Training-Free Open-Vocabulary Segmentation"): patches that have become outliers are mended from
// their neighbours, and the similarity of the patches in middle blocks says which belong together.
// SFP (Jin et al., ICCV 2025, "Feature Purification Matters") finds the outliers by the attention
// of the class token, and weighs the attentions otherwise. Block numbers are those of the published
// code for 12 blocks, and go by depth for other towers.

// Holds what the blocks before the last one leave of B images, each [B, 1 + N, D]. H_n are the
// tokens after block n of L.
struct TrunkTokens {
  at::Tensor last;    // H_(L-1)
  at::Tensor before;  // H_(L-2); this and the others are undefined where a method reads the last
  at::Tensor early;   // H_4 of 12
  at::Tensor late;    // H_9 of 12: H_(L-3)
  at::Tensor middle;  // H_4 + H_5 + ... + H_(L-2)
};

// Says where the patches of B windows lie.
struct PatchLayout {
  Extent grid;    // of a window, in patches
  int64_t patch;  // pixels
  // Holds the windows' corners where the patches of all B attend to each other, in pixels; empty:
  // those of a window do.
  std::vector<WindowLayout::Corner> joined = {};
};

// Collects TrunkTokens block by block.
class TrunkRecorder {
 public:
  // `layers` is L. `all` says that the method reads more than the last tokens.
  TrunkRecorder(int64_t layers, bool all);
  // Is to be called with H_0 to H_(L-1). Tensors may be overwritten afterwards, but for H_(L-1).
  void record(int64_t n, const at::Tensor& tokens);
  const TrunkTokens& tokens() const { return tokens_; }

 private:
  int64_t last_, early_, late_, middle_end_;
  bool all_;
  TrunkTokens tokens_;
};

// Returns how far each patch lies from its nearest ones, against how far they lie from theirs: d(i)
// times the mean of 1/d over the 30 nearest, where d is the squared distance of the 30th. Takes x
// [B, N, D] -> [B, N]. With fewer than 31 patches all others count.
at::Tensor outlier_scores(const at::Tensor& x);

// Returns the patches whose scores lie above the 0.95 quantile: [B, N] -> [B, N] bool.
at::Tensor outliers(const at::Tensor& scores);

// Replaces each outlier by the mean of its sound neighbours among the eight around it; one without
// any stays. x [B, N, D], is_outlier [B, N].
at::Tensor mend(const at::Tensor& x, const at::Tensor& is_outlier, Extent grid);

// Returns softmax(x x' / sqrt(e) + bias) v per head: x, values [B, heads, N, e], bias [N, N].
at::Tensor attend_to_alike(const at::Tensor& x, const at::Tensor& values,
                           const std::optional<at::Tensor>& bias = {});

// Returns SFP's outliers: the patches that the class token attends to in the last block but one,
// half as much again, more than they do themselves; of these the ten it attends to most. H_(L-2)
// [B, 1 + N, D] and that block -> [B, N] bool.
at::Tensor attention_outliers(const at::Tensor& tokens, const LayerNorm& ln_1,
                              const SelfAttention& attention);

// Return the patches [B, N, D] that ln_post follows, by SC-CLIP and by SFP; no residual and no MLP.
// `ln_1` and `attention` are the last block's. Outliers are mended within their window, and where
// windows are joined, everything else is computed over the patches of all.
at::Tensor sc_clip_patches(const TrunkTokens& trunk, const PatchLayout& layout,
                           const LayerNorm& ln_1, const SelfAttention& attention);
at::Tensor sfp_patches(const TrunkTokens& trunk, const PatchLayout& layout,
                       const at::Tensor& is_outlier, const LayerNorm& ln_1,
                       const SelfAttention& attention);

}  // namespace tagclip
