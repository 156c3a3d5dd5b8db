#pragma once

#include <optional>
#include <vector>

#include "clip/packed_tower.h"
#include "model/dense_model.h"
#include "model/sc_clip.h"

namespace tagclip {

// Segmentation with a CLIP without a decoder: the cosines between patches and texts. Where patches
// were not trained against texts, the last attention of the vision tower mixes them until they are
// indistinguishable; the methods but kPlain differ in what they put in its place.
enum class DenseMethod {
  kMaskClip,   // each patch keeps its own value (Zhou et al. 2022, without the refinements)
  kSclip,      // correlative self-attention (Wang et al. 2024)
  kClearClip,  // attention of queries to queries alone, without residual and MLP (Lan et al. 2024)
  kNaclip,     // keys to keys and to near patches, likewise (Hajimiri et al. 2025)
  kScClip,     // self-calibrated (Bai et al. 2024); see sc_clip.h
  kSfp,        // the same with purified features (Jin et al. 2025)
  kPlain,  // the tower as it is, for patches that were trained against texts (docs/pretraining.md)
};

// Whether the patches go through the last block's residual and MLP; else the class token alone
// does.
bool patches_have_mlp(DenseMethod method);
// Whether a method reads all of TrunkTokens.
bool reads_trunk(DenseMethod method);

// Returns what kPlain and the methods up to kNaclip have in the place of a block's attention. x [B,
// 1 + N, D] after ln_1, of N patches -> [B, 1 + N, D].
at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x, DenseMethod method,
                           const PatchLayout& layout);

// Computes the last block of a vision tower as a method changes it.
class DenseLastBlock {
 public:
  // `blocks` are all of the tower.
  DenseLastBlock(DenseMethod method, const std::vector<ResidualBlock>& blocks);

  DenseMethod method() const { return method_; }
  // Returns tokens [B, 1 + N, D], which ln_post follows but for the MLP (see patches_have_mlp). The
  // class token is plain CLIP's, whatever the method.
  at::Tensor operator()(const TrunkTokens& trunk, const PatchLayout& layout) const;

 private:
  struct Attention {
    LayerNorm ln_1;
    SelfAttention attn;
  };

  DenseMethod method_;
  Attention last_;
  std::optional<Attention> before_;  // the last block but one's, for SFP where there is one
};

class DenseClipEncoder : public PatchEncoder {
 public:
  DenseClipEncoder(VisionTower tower, DenseMethod method, EncoderInfo info);

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const override;
  Packer packer() const override;

 private:
  VisionTower tower_;
  DenseMethod method_;
};

// Encodes in the same way on CPUs, with matrices packed for a precision; those of the last
// attention stay float32.
class PackedDenseClipEncoder : public PatchEncoder {
 public:
  // Takes the blocks out of the tower as PackedPromptedEncoder does, and throws as it does.
  PackedDenseClipEncoder(VisionTower tower, DenseMethod method, const EncoderInfo& info,
                         GemmPrecision precision);

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const override;

 private:
  at::Tensor class_embedding_, positional_embedding_;
  LayerNorm ln_pre_, ln_post_;
  DenseLastBlock last_block_;
  PackedTower tower_;
};

// Multiplies text . patches by a scale; there is no trusty map.
class CosineDecoder : public MaskDecoder {
 public:
  explicit CosineDecoder(double logit_scale) : logit_scale_(logit_scale) {}

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const DecodeOptions& options) const override;

 private:
  double logit_scale_;
};

// Returns a CLIP that segments by a method. Windows, short side and scale are those of the method's
// published results, in sizes of CLIP's own resolution (224 pixels for ViT-B/16). With
// `whole_photo` the photo goes through the tower at once instead of in windows.
DenseModel dense_clip(const Clip& clip, DenseMethod method, bool whole_photo = false);

}  // namespace tagclip
