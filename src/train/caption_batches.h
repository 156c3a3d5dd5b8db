#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "data/caption_shards.h"
#include "text/tokenizer.h"
#include "train/pretrain.h"

namespace tagclip {

struct CaptionBatch {
  at::Tensor pixels;  // [B, 3, side, side], normalised as for segmentation
  at::Tensor tokens;  // [B, context] int64
  // [B, B] bool; [i, j]: the caption of text j is one of photo i's
  at::Tensor matches;
};

// Draws training batches: every photo once an epoch in shuffled order, one of its captions, a
// random crop, a flip by a coin. A batch depends on nothing but the seed and its step.
class CaptionBatches {
 public:
  CaptionBatches(const PretrainConfig& config, std::vector<CaptionedPhoto> photos);

  size_t photos() const { return photos_.size(); }
  CaptionBatch batch(int64_t step, int64_t side) const;

 private:
  const PretrainConfig& config_;
  std::vector<CaptionedPhoto> photos_;
  Tokenizer tokenizer_;
};

}  // namespace tagclip
