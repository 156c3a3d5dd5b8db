#include "export/dense_clip.h"

#include "base/error.h"
#include "export/sc_clip.h"

namespace tagclip {

using onnx::concat;
using onnx::Value;

namespace {

const std::string kTower = "visual";

// Patches that attend to those alike: softmax(x x' / sqrt(e)) v.
Value to_alike(const GraphBuilder& build, const BlockSizes& sizes, const Value& x,
               const Value& values) {
  return build.attention(x, x, values, sizes.head_width());
}

// What kPlain and the methods up to kNaclip have in the place of the last attention, per head.
Value mixed(const GraphBuilder& build, const BlockSizes& sizes, const AttentionParts& parts,
            DenseMethod method, const PatchGrid& grid) {
  const auto& [queries, keys, values] = parts;
  switch (method) {
    case DenseMethod::kMaskClip:
      return values;
    case DenseMethod::kSclip:
      return to_alike(build, sizes, queries, values) + to_alike(build, sizes, keys, values);
    case DenseMethod::kClearClip:
      return to_alike(build, sizes, queries, values);
    case DenseMethod::kNaclip:
      return build.attention(keys, keys, values, sizes.head_width(), neighbourhood(grid));
    case DenseMethod::kPlain:
      return build.attention(queries, keys, values, sizes.head_width());
    case DenseMethod::kScClip:
    case DenseMethod::kSfp:
      break;
  }
  TAGCLIP_CHECK(false, "the attention of SC-CLIP and SFP is more than that: sc_clip.h");
}

// Row 0 of plain attention, on top of the class token: [B, 1, D].
Value class_row(const GraphBuilder& build, const std::string& attn, const BlockSizes& sizes,
                const AttentionParts& parts, const Value& tokens) {
  const Value attended =
      build.attention(slice(parts.queries, 2, 0, 1), parts.keys, parts.values, sizes.head_width());
  return slice(tokens, 1, 0, 1) + attention_output(build, attn, sizes, attended);
}

}  // namespace

EncodingValues dense_encoding(const GraphBuilder& build, const ClipConfig& config,
                              DenseMethod method, const Value& pixels) {
  const BlockSizes sizes = block_sizes(config);
  const PatchGrid grid = patch_grid(build, kTower, config, pixels, PositionResize::kBicubic);
  const at::Tensor first = build.parameter(kTower + ".class_embedding") +
                           build.parameter(kTower + ".positional_embedding")[0];
  std::vector<Value> trunk = {
      tokens_of(build, kTower, grid, kTower + ".first_token", first)};  // H_0 to H_(L-1)
  for (int64_t layer = 0; layer + 1 < config.vision_layers; ++layer) {
    trunk.push_back(residual_block(build, block_name(kTower, layer), sizes, trunk.back()));
  }
  const std::string last = block_name(kTower, config.vision_layers - 1), attn = last + ".attn";
  const Value& x = trunk.back();
  const AttentionParts parts =
      attention_parts(build, attn, sizes, build.layer_norm(last + ".ln_1", x));
  const Value image = class_row(build, attn, sizes, parts, x);
  Value tokens;
  if (reads_trunk(method)) {
    const Value patches = calibrated_patches(build, kTower, config, method, trunk, grid);
    tokens = concat({add_mlp(build, last, sizes, image), patches}, 1);
  } else {
    const Value patches =
        slice(attention_output(build, attn, sizes, mixed(build, sizes, parts, method, grid)), 1, 1);
    tokens = patches_have_mlp(method)
                 ? add_mlp(build, last, sizes, concat({image, patches + slice(x, 1, 1)}, 1))
                 : concat({add_mlp(build, last, sizes, image), patches}, 1);
  }
  return encoding_of(build, kTower, grid, tokens);
}

MaskValues cosines(const EncodingValues& encoding, const Value& text, double logit_scale) {
  const Value patches = transpose(encoding.patches, {0, 3, 1, 2});  // [B, d, h, w]
  const Value columns = reshape(patches, {0, 0, -1});
  const Value cosine = matmul(text, columns) * static_cast<float>(logit_scale);  // [B, C, N]
  return {.classes = reshape(
              cosine, concat({shape_of(cosine, 0, 2), shape_of(encoding.patches, 1, 3)}, 0))};
}

}  // namespace tagclip
