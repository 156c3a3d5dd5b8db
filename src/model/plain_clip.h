#pragma once

#include "clip/packed_tower.h"
#include "model/dense_model.h"

namespace tagclip {

// Segmentation with a CLIP that was not trained for it: the cosine between each patch and each
// text, as logits at CLIP's own temperature.

// The replacement of the attention of the vision tower's last block, whose mixing makes patches
// indistinguishable.
enum class DenseAttention {
  kValue,        // each patch keeps its own value: MaskCLIP, without its refinements
  kCorrelative,  // it attends to patches whose queries, and whose keys, are like its own: SCLIP
};

// Returns the output of a block's attention with each kind of attention in its place.
// x [B, 1 + N, D], after ln_1 -> [B, 1 + N, D], before it is added to the block's input.
at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x,
                           DenseAttention kind);

class PlainClipEncoder : public PatchEncoder {
 public:
  PlainClipEncoder(VisionTower tower, DenseAttention attention, EncoderInfo info);

  Encoding operator()(const at::Tensor& pixels) const override;
  Packer packer() const override;

 private:
  VisionTower tower_;
  DenseAttention attention_;
};

// The same for inference on CPUs, its matrices packed for a precision.
class PackedPlainClipEncoder : public PatchEncoder {
 public:
  // Packs the tower's weights as PackedPromptedEncoder does.
  PackedPlainClipEncoder(VisionTower tower, DenseAttention attention, const EncoderInfo& info,
                         GemmPrecision precision);

  Encoding operator()(const at::Tensor& pixels) const override;

 private:
  DenseAttention attention_;
  at::Tensor class_embedding_, positional_embedding_;
  LayerNorm ln_pre_, ln_post_;
  LayerNorm last_norm_;  // ln_1 of the last block
  SelfAttention last_attention_;
  PackedTower tower_;
};

// logit_scale: CLIP's, []. text . patches exp(logit_scale); no trusty map.
class CosineDecoder : public MaskDecoder {
 public:
  explicit CosineDecoder(at::Tensor logit_scale) : logit_scale_(std::move(logit_scale)) {}

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const DecodeOptions& options) const override;

 private:
  at::Tensor logit_scale_;
};

// Windows are of CLIP's own size, half overlapping, on images half as high again: SCLIP's 224, 112
// and 336.
DenseModel plain_clip(const Clip& clip, DenseAttention attention);

}  // namespace tagclip
