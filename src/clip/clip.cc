#include "clip/clip.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace tagclip {

PixelNormalization normalization_of(PixelStatistics statistics) {
  return statistics == PixelStatistics::kClip ? kClipNormalization : PixelNormalization();
}

namespace {

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  constexpr Range size{1, 1 << 16};
  FieldsOf<Config> list;
  list.add("embedding", config.embedding, size, "size of the embeddings both towers share");
  list.add("resolution", config.resolution, size,
           "side of the images the position grid is made for");
  list.add("patch", config.patch, size, "side of a patch");
  list.add("vision_width", config.vision_width, size, "width of the vision tower");
  list.add("vision_layers", config.vision_layers, {1, 1024}, "blocks of the vision tower");
  list.add("vision_heads", config.vision_heads, size, "attention heads of the vision tower");
  list.add("vision_mlp", config.vision_mlp, {0, 1 << 18},
           "width inside the vision tower's MLPs; 0 = four times the tower's");
  list.add("context", config.context, {3, 1 << 16}, "tokens of a text");
  list.add("vocabulary", config.vocabulary, {1, 49408}, "tokens the text tower knows");
  list.add("text_width", config.text_width, size, "width of the text tower");
  list.add("text_layers", config.text_layers, {1, 1024}, "blocks of the text tower");
  list.add("text_heads", config.text_heads, size, "attention heads of the text tower");
  list.add("text_mlp", config.text_mlp, {0, 1 << 18},
           "width inside the text tower's MLPs; 0 = four times the tower's");
  list.add("activation", config.activation,
           {{"quick_gelu", Activation::kQuickGelu}, {"gelu", Activation::kGelu}},
           "activation of the blocks");
  list.add("pixel_statistics", config.pixel_statistics,
           {{"imagenet", PixelStatistics::kImageNet}, {"clip", PixelStatistics::kClip}},
           "whose mean and standard deviation normalised the images it was trained on");
  return list;
}

}  // namespace

FieldList ClipConfig::fields() { return list_fields(*this); }
ConstFieldList ClipConfig::fields() const { return list_fields(*this); }

void ClipConfig::check() const {
  fields().check();
  const auto require_multiple = [](const char* whole, int64_t of, const char* part, int64_t by) {
    if (of % by == 0) return;
    throw usage_error(fmt::format("{} = {} must be a multiple of {} = {}", whole, of, part, by));
  };
  require_multiple("resolution", resolution, "patch", patch);
  require_multiple("vision_width", vision_width, "vision_heads", vision_heads);
  require_multiple("text_width", text_width, "text_heads", text_heads);
}

TextTower::TextTower(const ParameterScope& scope, const ClipConfig& config)
    : token_embedding((scope / "token_embedding")
                          .add("weight", {config.vocabulary, config.text_width}, normal(0.02))),
      positional_embedding(
          scope.add("positional_embedding", {config.context, config.text_width}, normal(0.01))),
      transformer(scope / "transformer", config.text_width, config.text_mlp_width(),
                  config.text_layers, config.text_heads, config.activation),
      ln_final(scope / "ln_final", config.text_width),
      text_projection(scope.add("text_projection", {config.text_width, config.embedding},
                                normal(1 / std::sqrt(config.text_width)))) {}

at::Tensor TextTower::encode(const at::Tensor& tokens) const {
  // The causal mask hides tokens after the last end token from it: they are left out.
  const at::Tensor end = tokens.argmax(1);  // [B]: the end token has the highest id
  const int64_t length = end.max().item<int64_t>() + 1;
  at::Tensor x = at::embedding(token_embedding, tokens.narrow(1, 0, length)) +
                 positional_embedding.narrow(0, 0, length);  // [B, length, width]
  for (const ResidualBlock& block : transformer.resblocks) x = block(x, /*causal=*/true);
  x = x.index({at::arange(tokens.size(0), end.options()), end});  // [B, width]
  return ln_final(x).matmul(text_projection);
}

VisionTower::VisionTower(const ParameterScope& scope, const ClipConfig& config)
    : conv1((scope / "conv1")
                .add("weight", {config.vision_width, 3, config.patch, config.patch},
                     normal(1 / std::sqrt(3.0 * config.patch * config.patch)))),
      class_embedding(scope.add("class_embedding", {config.vision_width},
                                normal(1 / std::sqrt(config.vision_width)))),
      positional_embedding(scope.add("positional_embedding",
                                     {1 + config.grid() * config.grid(), config.vision_width},
                                     normal(1 / std::sqrt(config.vision_width)))),
      ln_pre(scope / "ln_pre", config.vision_width),
      transformer(scope / "transformer", config.vision_width, config.vision_mlp_width(),
                  config.vision_layers, config.vision_heads, config.activation),
      ln_post(scope / "ln_post", config.vision_width),
      proj(scope.add("proj", {config.vision_width, config.embedding},
                     normal(1 / std::sqrt(config.vision_width)))) {}

at::Tensor VisionTower::embed(const at::Tensor& pixels, PositionResize resize) const {
  const int64_t patch = conv1.size(2);
  const at::Tensor first = class_embedding.expand({pixels.size(0), 1, -1});
  const at::Tensor positions = resize_positions(positional_embedding, pixels.size(2) / patch,
                                                pixels.size(3) / patch, resize);
  return ln_pre(at::cat({first, embed_patches(pixels, conv1)}, 1) + positions);
}

at::Tensor VisionTower::hidden(const at::Tensor& pixels) const {
  return through_blocks(embed(pixels));
}

at::Tensor VisionTower::encode(const at::Tensor& pixels) const {
  return encode_tokens(embed(pixels));
}

at::Tensor VisionTower::encode_tokens(const at::Tensor& tokens) const {
  return ln_post(through_blocks(tokens).select(1, 0)).matmul(proj);
}

at::Tensor VisionTower::through_blocks(at::Tensor x) const {
  for (const ResidualBlock& block : transformer.resblocks) x = block(x, /*causal=*/false);
  return x;
}

at::Tensor l2_normalize(const at::Tensor& x) { return x / x.norm(2, -1, /*keepdim=*/true); }

at::Tensor embed_patches(const at::Tensor& pixels, const at::Tensor& kernel) {
  const int64_t patch = kernel.size(2);
  const at::Tensor grid = at::conv2d(pixels, kernel, /*bias=*/{}, patch);  // [B, D, H', W']
  return grid.flatten(2).transpose(1, 2);
}

at::Tensor resize_positions(const at::Tensor& embedding, int64_t height, int64_t width,
                            PositionResize resize) {
  const int64_t side = std::lround(std::sqrt(static_cast<double>(embedding.size(0) - 1)));
  TAGCLIP_CHECK(side * side == embedding.size(0) - 1, "the stored position grid must be square");
  if (side == height && side == width) return embedding;
  const at::Tensor grid =
      embedding.narrow(0, 1, side * side).view({1, side, side, -1}).permute({0, 3, 1, 2});
  const auto scale = [side](int64_t patches) {
    return (static_cast<double>(patches) + 0.1) / static_cast<double>(side);
  };
  const at::Tensor resized =  // [1, D, h, w]
      resize == PositionResize::kBilinear
          ? at::upsample_bilinear2d(grid, {height, width}, /*align_corners=*/false)
          : at::upsample_bicubic2d(grid, {height, width}, /*align_corners=*/false, scale(height),
                                   scale(width));
  return at::cat({embedding.narrow(0, 0, 1), resized.flatten(2)[0].t()});
}

Clip::Clip(const ClipConfig& config)
    : config(config),
      text(ParameterScope(parameters), config),
      visual(ParameterScope(parameters, "visual"), config),
      logit_scale(ParameterScope(parameters).add("logit_scale", {}, constant(std::log(1 / 0.07)))) {
}

}  // namespace tagclip
