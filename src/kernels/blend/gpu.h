#pragma once

#include "kernels/blend/blend.h"

namespace tagclip {

// `blend` of logits on a GPU. A build without CUDA's compiler copies them and runs on the CPU.
BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent photo);

}  // namespace tagclip
