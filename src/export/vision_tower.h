#pragma once

#include <optional>
#include <string>

#include "clip/clip.h"
#include "export/graph_builder.h"

namespace tagclip {

// What clip/transformer.h and clip/clip.h compute, as operators. Each takes the name that its
// parameters begin with.

// Queries, keys and values, each [B, heads, L, width / heads].
struct AttentionParts {
  onnx::Value queries, keys, values;
};
// Sizes of a block.
struct BlockSizes {
  int64_t width = 0, heads = 0;
  Activation activation = Activation::kQuickGelu;
  int64_t head_width() const { return width / heads; }
};
BlockSizes block_sizes(const ClipConfig& config);  // of the vision tower

AttentionParts attention_parts(const GraphBuilder& build, const std::string& name,
                               const BlockSizes& sizes, const onnx::Value& x);
// The end of an attention: its values per head, merged and projected; [B, L, width].
onnx::Value attention_output(const GraphBuilder& build, const std::string& name,
                             const BlockSizes& sizes, const onnx::Value& per_head);

// Keys and values of a prefix that all images have in common, each [1, heads, P, width / heads].
struct PrefixValues {
  onnx::Value keys, values;
};
// A residual block: x [B, L, width] -> [B, L, width].
onnx::Value residual_block(const GraphBuilder& build, const std::string& name,
                           const BlockSizes& sizes, const onnx::Value& x,
                           const std::optional<PrefixValues>& prefix = {});
onnx::Value add_mlp(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
                    const onnx::Value& x);

// The name of a block.
std::string block_name(const std::string& tower, int64_t layer);

// Pixels as a person has them, uint8 [B, H, W, 3] -> normalised [B, 3, H, W].
onnx::Value normalized(const onnx::Value& image, const PixelNormalization& normalization);

// A tower's grid of patches, with positions, before ln_pre.
struct PatchGrid {
  onnx::Value patches;        // [B, D, h, w], positions added
  onnx::Value height, width;  // h, w: int64 [1]
  onnx::Value batch;          // B: int64 [1]
};
PatchGrid patch_grid(const GraphBuilder& build, const std::string& tower, const ClipConfig& config,
                     const onnx::Value& pixels, PositionResize resize);

// The first token [D] beside the patches, after ln_pre: [B, 1 + h w, D].
onnx::Value tokens_of(const GraphBuilder& build, const std::string& tower, const PatchGrid& grid,
                      const std::string& first_name, const at::Tensor& first);

// Encoding of images; see Encoding.
struct EncodingValues {
  onnx::Value patches;  // [B, h, w, d], unit vectors
  onnx::Value image;    // [B, d], likewise
};
// ln_post, projection and normalisation of tokens [B, 1 + h w, D].
EncodingValues encoding_of(const GraphBuilder& build, const std::string& tower,
                           const PatchGrid& grid, const onnx::Value& tokens);

}  // namespace tagclip
