#pragma once

#include <ATen/ATen.h>

#include "base/fields.h"
#include "clip/transformer.h"
#include "image/pixel_normalization.h"

namespace tagclip {

// The data set whose mean and standard deviation normalise pixels.
enum class PixelStatistics {
  kImageNet,  // mmsegmentation, so TagCLIP and ZegCLIP; and our own pretraining
  kClip,      // OpenAI's CLIP and those after it
};
PixelNormalization normalization_of(PixelStatistics statistics);

// Sizes of a CLIP. The defaults are ViT-B/16's.
struct ClipConfig {
  int64_t embedding = 512;  // d, shared by both towers
  // vision
  int64_t resolution = 224;
  int64_t patch = 16;
  int64_t vision_width = 768;
  int64_t vision_layers = 12;
  int64_t vision_heads = 12;
  int64_t vision_mlp = 0;  // 0: four times the width
  // text
  int64_t context = 77;
  int64_t vocabulary = 49408;
  int64_t text_width = 512;
  int64_t text_layers = 12;
  int64_t text_heads = 8;
  int64_t text_mlp = 0;  // 0: four times the width

  Activation activation = Activation::kQuickGelu;
  PixelStatistics pixel_statistics = PixelStatistics::kImageNet;  // in the training of both towers

  int64_t grid() const { return resolution / patch; }
  int64_t vision_mlp_width() const { return vision_mlp > 0 ? vision_mlp : 4 * vision_width; }
  int64_t text_mlp_width() const { return text_mlp > 0 ? text_mlp : 4 * text_width; }
  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when a field is out of its range or the fields do not fit together.
  void check() const;
};

// The text tower (spec section 1). Keys: token_embedding.weight, positional_embedding,
// transformer.*, ...
struct TextTower {
  TextTower(const ParameterScope& scope, const ClipConfig& config);
  // tokens [B, context] int64 -> embeddings [B, d], not normalised.
  at::Tensor encode(const at::Tensor& tokens) const;

  at::Tensor token_embedding;       // [vocabulary, width]
  at::Tensor positional_embedding;  // [context, width]
  Transformer transformer;
  LayerNorm ln_final;
  at::Tensor text_projection;  // [width, d]
};

// How a stored grid of position embeddings is resized.
enum class PositionResize {
  kBilinear,  // by size: TagCLIP and ZegCLIP, and our own pretraining
  // Bicubic, by the scale factors (patches + 0.1) / stored patches: the published dense CLIPs.
  kBicubic,
};

// The vision tower of plain CLIP. Keys: conv1.weight, class_embedding, ... under `visual`.
struct VisionTower {
  VisionTower(const ParameterScope& scope, const ClipConfig& config);

  // pixels [B, 3, H, W], normalised -> token sequence after ln_pre [B, 1 + H'W', D]. The stored
  // position grid is resized when (H', W') differ from it. Pixels beyond whole patches are not
  // read.
  at::Tensor embed(const at::Tensor& pixels,
                   PositionResize resize = PositionResize::kBilinear) const;
  // `embed`, then the blocks: [B, 1 + H'W', D].
  at::Tensor hidden(const at::Tensor& pixels) const;
  // The image embedding: class token, ln_post, proj -> [B, d], not normalised.
  at::Tensor encode(const at::Tensor& pixels) const;
  // The same from the tokens that `embed` returns, or from a subset of them: [B, 1 + n, D] -> [B,
  // d].
  at::Tensor encode_tokens(const at::Tensor& tokens) const;

  at::Tensor conv1;                 // [D, 3, patch, patch]
  at::Tensor class_embedding;       // [D]
  at::Tensor positional_embedding;  // [1 + grid^2, D]
  LayerNorm ln_pre;
  Transformer transformer;
  LayerNorm ln_post;
  at::Tensor proj;  // [D, d]

 private:
  at::Tensor through_blocks(at::Tensor x) const;  // [B, n, D]
};

// Returns x / |x|, over the last dimension.
at::Tensor l2_normalize(const at::Tensor& x);

// Embeds the patches of an image as tokens: [B, 3, H, W] -> [B, H'W', D].
at::Tensor embed_patches(const at::Tensor& pixels, const at::Tensor& kernel);

// Resizes the grid part of a position embedding [1 + h w, D] (align_corners false) to
// [1 + height width, D]; the class row stays. The stored grid must be square.
at::Tensor resize_positions(const at::Tensor& embedding, int64_t height, int64_t width,
                            PositionResize resize = PositionResize::kBilinear);

// Both towers and the temperature.
struct Clip {
  explicit Clip(const ClipConfig& config);

  ClipConfig config;
  ParameterList parameters;
  TextTower text;
  VisionTower visual;
  at::Tensor logit_scale;  // [], log of the inverse temperature
};

}  // namespace tagclip
