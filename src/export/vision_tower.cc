#include "export/vision_tower.h"

#include <cmath>

#include "base/error.h"

namespace tagclip {

using onnx::concat;
using onnx::Value;

BlockSizes block_sizes(const ClipConfig& config) {
  return {config.vision_width, config.vision_heads, config.activation};
}

AttentionParts attention_parts(const GraphBuilder& build, const std::string& name,
                               const BlockSizes& sizes, const Value& x) {
  const std::vector<Value> parts = split(build.linear(name + ".in_proj", x), -1, 3);
  const auto per_head = [&](const Value& part) {
    return split_heads(part, sizes.heads, sizes.head_width());
  };
  return {per_head(parts[0]), per_head(parts[1]), per_head(parts[2])};
}

Value attention_output(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
                       const Value& per_head) {
  return build.linear(name + ".out_proj", merge_heads(per_head, sizes.width));
}

Value add_mlp(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
              const Value& x) {
  const Value inner = build.linear(name + ".mlp.c_fc", build.layer_norm(name + ".ln_2", x));
  const Value activated = sizes.activation == Activation::kQuickGelu
                              ? inner * sigmoid(inner * 1.702F)
                              : inner * (erf(inner * std::sqrt(0.5F)) + 1.0F) * 0.5F;
  return x + build.linear(name + ".mlp.c_proj", activated);
}

Value residual_block(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
                     const Value& x, const std::optional<PrefixValues>& prefix) {
  const std::string attn = name + ".attn";
  auto [queries, keys, values] =
      attention_parts(build, attn, sizes, build.layer_norm(name + ".ln_1", x));
  if (prefix) {
    const Value once_each =
        concat({shape_of(x, 0, 1), build.graph().constant(std::vector<int64_t>{1, 1, 1})}, 0);
    keys = concat({keys, expand(prefix->keys, once_each)}, 2);
    values = concat({values, expand(prefix->values, once_each)}, 2);
  }
  const Value attended = build.attention(queries, keys, values, sizes.head_width());
  return add_mlp(build, name, sizes, x + attention_output(build, attn, sizes, attended));
}

std::string block_name(const std::string& tower, int64_t layer) {
  return tower + ".transformer.resblocks." + std::to_string(layer);
}

Value normalized(const Value& image, const PixelNormalization& normalization) {
  const auto of_channels = [&](const std::string& name, const std::array<double, 3>& numbers,
                               bool inverse) {
    std::vector<float> values;
    for (const double number : numbers) {
      values.push_back(static_cast<float>(inverse ? 1 / (255 * number) : 255 * number));
    }
    const auto owner = std::make_shared<const std::vector<float>>(std::move(values));
    return image.graph->initializer(
        name, {onnx::ElementType::kFloat, {3}, std::as_bytes(std::span(*owner)), owner});
  };
  const Value centred =
      cast(image, onnx::ElementType::kFloat) - of_channels("pixel_mean", normalization.mean, false);
  return transpose(centred * of_channels("pixel_scale", normalization.std, true), {0, 3, 1, 2});
}

namespace {

// Of the stored position grid, whose border is repeated that often: a cubic reaches over it.
constexpr int64_t kBorder = 2;

// The weights of bicubic interpolation from `length` positions, the repeated ones among them, to
// `count` (int64 [1]) by `scale` (float [1]): [count, length]. The operator Resize is no choice:
// OpenVINO computes the scale anew from the sizes.
Value cubic_weights(const Value& count, const Value& scale, int64_t length) {
  constexpr float kA = -0.75F;  // LibTorch's coefficient
  const Value at = (range(count) + 0.5F) / scale + (kBorder - 0.5F);
  const Value position = range(count.graph->constant(std::vector{length}));
  const Value d = absolute(unsqueeze(at, {1}) - position);
  const Value near = ((d * (kA + 2) - (kA + 3)) * d) * d + 1;
  const Value far = ((d * kA - 5 * kA) * d + 8 * kA) * d - 4 * kA;
  const auto number = [&](float value) { return count.graph->constant(value); };
  return where(greater(d, number(2)), number(0), where(greater(d, number(1)), far, near));
}

// Resizes the stored position grid to h x w, as resize_positions does: [1, D, h, w].
Value resized_positions(const GraphBuilder& build, const std::string& tower,
                        const ClipConfig& config, const Value& height, const Value& width,
                        PositionResize resize) {
  const at::Tensor positions = build.parameter(tower + ".positional_embedding");
  const int64_t side = config.grid();
  const at::Tensor grid =
      positions.narrow(0, 1, side * side).view({1, side, side, -1}).permute({0, 3, 1, 2});
  const std::string name = tower + ".positional_embedding.grid";
  const Value size = concat({height, width}, 0);
  if (resize == PositionResize::kBilinear) return resize_bilinear(build.constant(name, grid), size);
  const Value stored = build.constant(
      name, at::replication_pad2d(grid.to(at::kFloat), {kBorder, kBorder, kBorder, kBorder}));
  // A grid of the stored size stays as it is.
  const Value same = equal(size, build.graph().constant(std::vector<int64_t>{side, side}));
  const Value both = logical_and(slice(same, 0, 0, 1), slice(same, 0, 1, 2));
  const auto weights = [&](const Value& count) {  // [count, padded side]
    const Value scale =
        (cast(count, onnx::ElementType::kFloat) + 0.1F) * (1 / static_cast<float>(side));
    return cubic_weights(count, where(both, build.graph().constant(1.0F), scale),
                         side + 2 * kBorder);
  };
  return matmul(weights(height), matmul(stored, transpose(weights(width), {1, 0})));
}

}  // namespace

PatchGrid patch_grid(const GraphBuilder& build, const std::string& tower, const ClipConfig& config,
                     const Value& pixels, PositionResize resize) {
  const Value patches = build.patches(tower + ".conv1.weight", pixels);
  const Value height = shape_of(patches, 2, 3), width = shape_of(patches, 3, 4);
  return {patches + resized_positions(build, tower, config, height, width, resize), height, width,
          shape_of(patches, 0, 1)};
}

Value tokens_of(const GraphBuilder& build, const std::string& tower, const PatchGrid& grid,
                const std::string& first_name, const at::Tensor& first) {
  const int64_t D = first.numel();
  const Value rows = transpose(reshape(grid.patches, {0, 0, -1}), {0, 2, 1});
  const Value once_each =
      concat({grid.batch, build.graph().constant(std::vector<int64_t>{1, 1})}, 0);
  const Value firsts = expand(build.constant(first_name, first.view({1, 1, D})), once_each);
  return build.layer_norm(tower + ".ln_pre", concat({firsts, rows}, 1));
}

EncodingValues encoding_of(const GraphBuilder& build, const std::string& tower,
                           const PatchGrid& grid, const Value& tokens) {
  const at::Tensor& proj = build.parameter(tower + ".proj");
  const Value embeddings = l2_normalize(build.product(build.layer_norm(tower + ".ln_post", tokens),
                                                      build.factor(tower + ".proj", proj)));
  const Value shape = concat(
      {grid.batch, grid.height, grid.width, build.graph().constant(std::vector{proj.size(1)})}, 0);
  return {reshape(slice(embeddings, 1, 1), shape), squeeze(slice(embeddings, 1, 0, 1), 1)};
}

}  // namespace tagclip
