#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "data/caption_shards.h"
#include "text/tokenizer.h"
#include "train/pretrain.h"

namespace tagclip {

struct CaptionBatch {
  at::Tensor pixels;   // [B, 3, side, side], normalised as for segmentation
  at::Tensor tokens;   // [B, context] int64
  at::Tensor matches;  // [B, B] bool; [i, j]: whether the caption of text j is one of image i's
};

// Draws training batches: every image once per epoch in shuffled order, with one of its captions, a
// random crop and a flip with probability 1/2. A batch depends on the seed and its step alone.
class CaptionBatches {
 public:
  CaptionBatches(const PretrainConfig& config, std::vector<CaptionedPhoto> photos);

  size_t photos() const { return photos_.size(); }
  CaptionBatch batch(int64_t step, int64_t side) const;
  // Identifies the images, their order and their captions.
  std::string fingerprint() const;

 private:
  const PretrainConfig& config_;
  std::vector<CaptionedPhoto> photos_;
  Tokenizer tokenizer_;
};

}  // namespace tagclip
