#pragma once

#include "kernels/blend/blend.h"

namespace tagclip {

// `blend` in LibTorch's operations, with the scores of the whole image in memory.

// The scores of an image, [C, H, W], on the device of the logits. With head_size > 0, scores are
// formed at head_size x head_size and then interpolated to the window, as in the released code.
at::Tensor reference_scores(const WindowLogits& logits, const WindowLayout& layout,
                            const ScoreRule& rule, Extent image, int64_t head_size = 0);

// The same before the softmax of ScoreActivation::kSoftmax: no class depends on another one.
at::Tensor blend_maps(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                      Extent image, int64_t head_size = 0);

// The same of class c alone, the mean of all views, [H, W].
at::Tensor blend_map(std::span<const BlendView> views, const ScoreRule& rule, Extent image,
                     int64_t c);

// `blend` of several views with a few maps of the image in memory, on the device of the logits.
BestClass blend_by_class(std::span<const BlendView> views, const ScoreRule& rule, Extent image);

// The best class of scores [C, H, W].
BestClass best_class(const at::Tensor& scores);

}  // namespace tagclip
