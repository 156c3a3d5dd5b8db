#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>
#include <vector>

#include "data/image_ops.h"
#include "image/image.h"
#include "infer/options.h"
#include "kernels/blend/blend.h"

namespace tagclip {

// Scores that follow the edges of the photo. Rows are what `blend` compares: classes, or words.

// A part of the photo with the maps of some rows, [R, height, width], before and after refinement.
struct RefinedTile {
  CropBox box;
  at::Tensor plain, refined;
};

// Interpolates the maps of each view, [R, h, w], to the photo's size, averages the views and
// refines the result, tile by tile, so that the memory does not grow with the photo.
void refine_maps(std::span<const at::Tensor> maps, const Image& photo, Refine method,
                 const std::function<void(const RefinedTile&)>& use);

// How many times as large a softmax's sum becomes when these rows are refined and the others stay;
// [height, width]. `log_sum`: the logarithm of the sum before, [height, width] or [1, ...].
at::Tensor growth_of_sum(const RefinedTile& tile, const at::Tensor& log_sum);

// The rows that are the best somewhere, ascending.
std::vector<int64_t> winning_rows(const BestClass& best);

// The maps of some rows at the size of each view's resized image: [R, h, w] on the CPU.
std::vector<at::Tensor> maps_of_rows(std::span<const BlendView> views, const ScoreRule& rule,
                                     const std::vector<int64_t>& rows);

// Refines the rows that win somewhere and compares them anew; `best` is what `blend` returned for
// the same views. Under a softmax the other rows keep their part of the sum. `competes`: the rows
// that may win from now on, at least one; empty: those that did.
void refine(std::span<const BlendView> views, const ScoreRule& rule, const Image& photo,
            Refine method, const std::vector<bool>& competes, BestClass& best);

}  // namespace tagclip
