#include "model/dense_clip.h"

#include "base/error.h"

namespace tagclip {
namespace {

// Several matrices [N, N] are held: 8192 patches make 256 MiB of each.
constexpr int64_t kMaxPatches = 8192;

// Deviation of NACLIP's Gaussian, in patches.
constexpr double kNeighbourhood = 5;

// softmax(x x' / sqrt(head) + bias) v
at::Tensor attend_to_alike(const at::Tensor& x, const at::Tensor& values,
                           const std::optional<at::Tensor>& bias = {}) {
  return at::scaled_dot_product_attention(x, x, values, bias);
}

// NACLIP's omega [1 + N, 1 + N]: a Gaussian over the distance of two patches, 0 for the class
// token.
at::Tensor neighbourhood(Extent grid, const at::TensorOptions& options) {
  const int64_t N = grid.height * grid.width;
  const auto squared_differences = [](const at::Tensor& at) {
    return (at.unsqueeze(0) - at.unsqueeze(1)).square_();  // [N, N]
  };
  const at::Tensor rows = at::arange(grid.height, options).repeat_interleave(grid.width);
  const at::Tensor columns = at::arange(grid.width, options).repeat({grid.height});
  at::Tensor omega = at::zeros({1 + N, 1 + N}, options);
  omega.narrow(0, 1, N).narrow(1, 1, N).copy_(squared_differences(rows)
                                                  .add_(squared_differences(columns))
                                                  .mul_(-1 / (2 * kNeighbourhood * kNeighbourhood))
                                                  .exp_());
  return omega;
}

// The values of each method's attention, [B, heads, 1 + N, D / heads].
at::Tensor mixed(const SelfAttention::Parts& parts, DenseMethod method, Extent grid) {
  switch (method) {
    case DenseMethod::kMaskClip:
      return parts.values;
    case DenseMethod::kSclip:
      return attend_to_alike(parts.queries, parts.values) +
             attend_to_alike(parts.keys, parts.values);
    case DenseMethod::kClearClip:
      return attend_to_alike(parts.queries, parts.values);
    case DenseMethod::kNaclip:
      return attend_to_alike(parts.keys, parts.values, neighbourhood(grid, parts.keys.options()));
    case DenseMethod::kScClip:
      break;
  }
  TAGCLIP_CHECK(false, "SC-CLIP's attention is more than that: sc_clip_patches");
}

// Row 0 of plain attention, [B, 1, D].
at::Tensor class_row(const SelfAttention& attention, const SelfAttention::Parts& parts) {
  return attention.out_proj(merge_heads(
      at::scaled_dot_product_attention(parts.queries.narrow(2, 0, 1), parts.keys, parts.values)));
}

Extent grid_of(const at::Tensor& pixels, int64_t patch) {
  return {pixels.size(2) / patch, pixels.size(3) / patch};
}

}  // namespace

at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x, DenseMethod method,
                           Extent grid) {
  return attention.out_proj(merge_heads(mixed(attention.split(x), method, grid)));
}

bool DenseLastBlock::has_mlp() const {
  return method_ == DenseMethod::kMaskClip || method_ == DenseMethod::kSclip;
}

at::Tensor DenseLastBlock::operator()(const TrunkTokens& trunk, Extent grid) const {
  const at::Tensor& x = trunk.last;
  const int64_t N = x.size(1) - 1;
  const SelfAttention::Parts parts = attn_.split(ln_1_(x));
  const at::Tensor image = x.narrow(1, 0, 1) + class_row(attn_, parts);  // [B, 1, D]
  if (method_ == DenseMethod::kScClip) {
    return at::cat({image, sc_clip_patches(trunk, grid, ln_1_, attn_)}, 1);
  }
  at::Tensor patches = attn_.out_proj(merge_heads(mixed(parts, method_, grid))).narrow(1, 1, N);
  if (has_mlp()) patches = patches + x.narrow(1, 1, N);
  return at::cat({image, patches}, 1);
}

namespace {

// How the published results of a method were made.
struct Recipe {
  WindowSizes windows;
  double logit_scale;
};

Recipe recipe(DenseMethod method, bool whole_photo, double resolution) {
  if (method == DenseMethod::kClearClip) {
    return {{.window = 2 * resolution, .stride = 0.5, .short_side = 1}, 50};
  }
  return {{.window = resolution, .stride = 0.5, .short_side = 1.5, .whole_photo = whole_photo}, 40};
}

EncoderInfo info_of(const Clip& clip, DenseMethod method, const WindowSizes& windows) {
  constexpr int64_t kVersion = 2;  // of what the methods compute
  std::vector<at::Tensor> tensors = {
      at::tensor({clip.config.vision_heads, static_cast<int64_t>(clip.config.activation),
                  static_cast<int64_t>(method), kVersion},
                 at::kLong)};
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name.starts_with("visual.")) tensors.push_back(parameter.tensor);
  }
  return {.device = clip.logit_scale.device(),
          .clip = clip.config,
          .normalization = normalization_of(clip.config.pixel_statistics),
          .windows = windows,
          .max_patches = kMaxPatches,
          .fingerprint = std::make_shared<Fingerprint>(std::move(tensors))};
}

}  // namespace

DenseClipEncoder::DenseClipEncoder(VisionTower tower, DenseMethod method, EncoderInfo info)
    : PatchEncoder(std::move(info)), tower_(std::move(tower)), method_(method) {}

Encoding DenseClipEncoder::operator()(const at::Tensor& pixels) const {
  const std::vector<ResidualBlock>& blocks = tower_.transformer.resblocks;
  const auto layers = static_cast<int64_t>(blocks.size());
  TrunkRecorder trunk(layers, method_ == DenseMethod::kScClip);
  at::Tensor x = tower_.embed(pixels, PositionResize::kBicubic);
  trunk.record(0, x);
  for (int64_t n = 1; n < layers; ++n) {
    x = blocks[n - 1](x, /*causal=*/false);
    trunk.record(n, x);
  }
  const ResidualBlock& block = blocks.back();
  const DenseLastBlock last(method_, block);
  x = last(trunk.tokens(), grid_of(pixels, info.clip.patch));
  if (last.has_mlp()) {
    x = block.add_mlp(x);
  } else {
    at::Tensor image = x.narrow(1, 0, 1);
    image.copy_(block.add_mlp(image));
  }
  return encoding_of(tower_.ln_post(x).matmul(tower_.proj), pixels, info.clip.patch);
}

PatchEncoder::Packer DenseClipEncoder::packer() const {
  return [tower = tower_, method = method_, info = info](GemmPrecision precision) mutable {
    return std::make_shared<PackedDenseClipEncoder>(std::move(tower), method, info, precision);
  };
}

PackedDenseClipEncoder::PackedDenseClipEncoder(VisionTower tower, DenseMethod method,
                                               const EncoderInfo& info, GemmPrecision precision)
    : PatchEncoder(info),
      method_(method),
      class_embedding_(tower.class_embedding),
      positional_embedding_(tower.positional_embedding),
      ln_pre_(tower.ln_pre),
      ln_post_(tower.ln_post),
      last_block_(method, tower.transformer.resblocks.back()),
      tower_(tower.conv1, std::move(tower.transformer), tower.proj, precision) {}

Encoding PackedDenseClipEncoder::operator()(const at::Tensor& pixels) const {
  const int64_t patch = info.clip.patch;
  const Extent grid = grid_of(pixels, patch);
  const at::Tensor positions =
      resize_positions(positional_embedding_, grid.height, grid.width, PositionResize::kBicubic);
  const int64_t tokens = positions.size(0);  // 1 + N
  PackedTower::Pass pass(tower_, pixels.size(0), tokens);
  pass.embed(pixels, class_embedding_ + positions[0], positions.narrow(0, 1, tokens - 1), ln_pre_);
  const size_t layers = tower_.blocks().size();
  TrunkRecorder trunk(static_cast<int64_t>(layers), method_ == DenseMethod::kScClip);
  trunk.record(0, pass.tokens());
  for (size_t n = 1; n < layers; ++n) {
    pass.run(n - 1, n, {});
    trunk.record(static_cast<int64_t>(n), pass.tokens());
  }
  pass.tokens().copy_(last_block_(trunk.tokens(), grid));
  if (last_block_.has_mlp()) {
    pass.add_mlp(layers - 1);
  } else {
    pass.add_mlp_of_first_token(layers - 1);
  }
  return encoding_of(pass.project(ln_post_), pixels, patch);
}

MaskLogits CosineDecoder::operator()(const Encoding& encoding, const at::Tensor& text,
                                     const DecodeOptions& options) const {
  const at::Tensor cosines = at::matmul(text, encoding.patches.transpose(1, 2));  // [B, C, N]
  const double scale = options.logit_scale > 0 ? options.logit_scale : logit_scale_;
  return {.classes = (scale * cosines).unflatten(2, {encoding.height, encoding.width})};
}

DenseModel dense_clip(const Clip& clip, DenseMethod method, bool whole_photo) {
  const auto [windows, logit_scale] =
      recipe(method, whole_photo, static_cast<double>(clip.config.resolution));
  return {.encoder = std::make_shared<DenseClipEncoder>(clip.visual, method,
                                                        info_of(clip, method, windows)),
          .decoder = std::make_shared<CosineDecoder>(logit_scale),
          .scoring = {.activation = ScoreActivation::kSoftmax, .calibrated_stacking = false}};
}

}  // namespace tagclip
