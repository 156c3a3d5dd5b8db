#pragma once

#include "clip/packed_tower.h"
#include "model/dense_model.h"

namespace tagclip {

// What the last block of the vision tower does in place of its attention, which mixes the patches
// of a photo beyond recognition.
enum class DenseAttention {
  kValue,  // each patch keeps its own value: MaskCLIP, the DenseCLIP row of the paper's Table 4
  kCorrelative,  // it attends to patches whose queries, and whose keys, are like its own: SCLIP
};

// Segmentation with a CLIP that was never trained for it: the cosine between each patch and each
// text, as logits at CLIP's own temperature.
class DenseClip : public DenseModel {
 public:
  DenseClip(Clip clip, DenseAttention attention);

  Encoding encode(const at::Tensor& pixels) const override;
  MaskLogits decode(const Encoding& encoding, const at::Tensor& text,
                    const DecodeOptions& options) const override;
  std::shared_ptr<DenseModel> clone() const override { return std::make_shared<DenseClip>(*this); }
  void pack(GemmPrecision precision) override;
  at::Device device() const override { return clip.logit_scale.device(); }
  const ClipConfig& clip_config() const override { return clip.config; }
  const TextTower* text_tower() const override { return &clip.text; }
  Colours colours() const override { return clip.config.colours; }
  ScoreSemantics scoring() const override {
    return {.activation = ScoreActivation::kSoftmax, .may_deduct = false};
  }
  // Windows of CLIP's own size, half overlapping, on photos half as high again: SCLIP's 224, 112
  // and 336.
  WindowSizes window_sizes() const override { return {clip.config.resolution, 0.5, 1.5}; }
  std::string encoder_fingerprint() const override;

  Clip clip;
  DenseAttention attention;

 private:
  at::Tensor encode_packed(const at::Tensor& pixels) const;  // as ln_post and proj leave it

  // By pack(), which lets go of what the tower was made of:
  std::shared_ptr<const PackedTower> tower_;
  std::optional<SelfAttention> last_attention_;
  std::string packed_fingerprint_;
};

// What a block's attention puts out, before it is added to x, with each kind of attention.
// x [B, 1 + N, D], after ln_1 -> [B, 1 + N, D].
at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x,
                           DenseAttention kind);

}  // namespace tagclip
