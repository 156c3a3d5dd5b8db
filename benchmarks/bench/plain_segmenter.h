#pragma once

#include "bench/plain_model.h"
#include "image/image.h"
#include "infer/vocabulary.h"

namespace tagclip::bench {

// Segments a photo of one window in plain LibTorch calls (spec section 7).
class PlainSegmenter {
 public:
  PlainSegmenter(const SegmentationModel& model, const EmbeddedVocabulary& vocabulary);

  // A photo of the size the model was built for -> labels [H, W] int64.
  at::Tensor operator()(const Image& photo) const;
  // What lies on the way: normalised pixels [1, 3, H, W], logits at patch resolution.
  at::Tensor pixels(const Image& photo) const;
  MaskLogits logits(const Image& photo) const;

 private:
  PlainModel model_;
  at::Tensor text_;       // [C, d]
  at::Tensor seen_;       // [C, 1, 1] bool
  at::Tensor deduction_;  // [C, 1, 1]
};

}  // namespace tagclip::bench
