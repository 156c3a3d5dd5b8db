#include "model/dense_clip.h"

#include "base/error.h"
#include "model/dense_recipe.h"

namespace tagclip {
namespace {

// Several matrices [N, N] are held: 8192 patches make 256 MiB of each.
constexpr int64_t kMaxPatches = 8192;

// Where a token lies in the photo, in patches, [B (1 + N)] each; a class token lies nowhere.
struct TokenPlaces {
  at::Tensor rows, columns, is_class;
};

TokenPlaces places_of(int64_t windows, const PatchLayout& layout,
                      const at::TensorOptions& options) {
  const Extent grid = layout.grid;
  const at::Tensor rows = at::arange(grid.height, options).repeat_interleave(grid.width);
  const at::Tensor columns = at::arange(grid.width, options).repeat({grid.height});
  std::vector<at::Tensor> all_rows, all_columns, all_classes;
  for (int64_t k = 0; k < windows; ++k) {
    const WindowLayout::Corner corner =
        layout.joined.empty() ? WindowLayout::Corner{} : layout.joined[k];
    const auto patch = static_cast<double>(layout.patch);
    const at::Tensor none = at::zeros({1}, options);
    all_rows.insert(all_rows.end(), {none, rows + static_cast<double>(corner.top) / patch});
    all_columns.insert(all_columns.end(),
                       {none, columns + static_cast<double>(corner.left) / patch});
    all_classes.insert(all_classes.end(), {none + 1, at::zeros_like(rows)});
  }
  return {at::cat(all_rows), at::cat(all_columns), at::cat(all_classes) > 0};
}

// Returns NACLIP's omega [M, M] over M tokens: a Gaussian of the distance of two patches, 0 for
// class tokens.
at::Tensor neighbourhood(const TokenPlaces& places) {
  const auto squared_differences = [](const at::Tensor& at) {
    return (at.unsqueeze(0) - at.unsqueeze(1)).square_();
  };
  at::Tensor omega = squared_differences(places.rows)
                         .add_(squared_differences(places.columns))
                         .mul_(-1 / (2 * dense::kNeighbourhood * dense::kNeighbourhood))
                         .exp_();
  omega.masked_fill_(places.is_class.unsqueeze(0), 0);
  return omega.masked_fill_(places.is_class.unsqueeze(1), 0);
}

// Returns the values of each method's attention, [B, heads, L, D / heads]. `windows` counts those
// whose tokens are side by side in a row.
at::Tensor mixed(const SelfAttention::Parts& parts, DenseMethod method, int64_t windows,
                 const PatchLayout& layout) {
  switch (method) {
    case DenseMethod::kMaskClip:
      return parts.values;
    case DenseMethod::kSclip:
      return attend_to_alike(parts.queries, parts.values) +
             attend_to_alike(parts.keys, parts.values);
    case DenseMethod::kClearClip:
      return attend_to_alike(parts.queries, parts.values);
    case DenseMethod::kNaclip:
      return attend_to_alike(parts.keys, parts.values,
                             neighbourhood(places_of(windows, layout, parts.keys.options())));
    case DenseMethod::kPlain:
      return at::scaled_dot_product_attention(parts.queries, parts.keys, parts.values);
    case DenseMethod::kScClip:
    case DenseMethod::kSfp:
      break;
  }
  TAGCLIP_CHECK(false, "the attention of SC-CLIP and SFP is more than that: sc_clip.h");
}

// Returns the same for windows whose patches attend to each other, if they are joined.
at::Tensor mixed_over_windows(const SelfAttention::Parts& parts, DenseMethod method,
                              const PatchLayout& layout) {
  if (layout.joined.empty()) return mixed(parts, method, 1, layout);
  const int64_t B = parts.keys.size(0);
  const auto side_by_side = [](const at::Tensor& x) {  // [B, h, L, e] -> [1, h, B L, e]
    return x.transpose(0, 1).flatten(1, 2).unsqueeze(0);
  };
  const at::Tensor all =
      mixed({side_by_side(parts.queries), side_by_side(parts.keys), side_by_side(parts.values)},
            method, B, layout);
  return all[0].unflatten(1, {B, -1}).transpose(0, 1);
}

// Returns row 0 of plain attention, [B, 1, D].
at::Tensor class_row(const SelfAttention& attention, const SelfAttention::Parts& parts) {
  return attention.out_proj(merge_heads(
      at::scaled_dot_product_attention(parts.queries.narrow(2, 0, 1), parts.keys, parts.values)));
}

PatchLayout layout_of(const at::Tensor& pixels, int64_t patch, const EncodeOptions& options) {
  TAGCLIP_CHECK(options.joined.empty() || std::ssize(options.joined) == pixels.size(0),
                "one corner per window");
  return {{pixels.size(2) / patch, pixels.size(3) / patch}, patch, options.joined};
}

}  // namespace

bool patches_have_mlp(DenseMethod method) {
  return method == DenseMethod::kMaskClip || method == DenseMethod::kSclip ||
         method == DenseMethod::kPlain;
}

bool reads_trunk(DenseMethod method) {
  return method == DenseMethod::kScClip || method == DenseMethod::kSfp;
}

at::Tensor dense_attention(const SelfAttention& attention, const at::Tensor& x, DenseMethod method,
                           const PatchLayout& layout) {
  return attention.out_proj(merge_heads(mixed_over_windows(attention.split(x), method, layout)));
}

DenseLastBlock::DenseLastBlock(DenseMethod method, const std::vector<ResidualBlock>& blocks)
    : method_(method), last_{blocks.back().ln_1, blocks.back().attn} {
  if (method != DenseMethod::kSfp || blocks.size() < 2) return;
  const ResidualBlock& before = blocks[blocks.size() - 2];
  before_ = {before.ln_1, before.attn};
}

at::Tensor DenseLastBlock::operator()(const TrunkTokens& trunk, const PatchLayout& layout) const {
  const auto& [ln_1, attn] = last_;
  const at::Tensor& x = trunk.last;
  const int64_t N = x.size(1) - 1;
  const SelfAttention::Parts parts = attn.split(ln_1(x));
  const at::Tensor image = x.narrow(1, 0, 1) + class_row(attn, parts);  // [B, 1, D]
  if (method_ == DenseMethod::kScClip) {
    return at::cat({image, sc_clip_patches(trunk, layout, ln_1, attn)}, 1);
  }
  if (method_ == DenseMethod::kSfp) {
    const at::Tensor is_outlier =
        before_ ? attention_outliers(trunk.before, before_->ln_1, before_->attn)
                : at::zeros({x.size(0), N}, x.options().dtype(at::kBool));
    return at::cat({image, sfp_patches(trunk, layout, is_outlier, ln_1, attn)}, 1);
  }
  at::Tensor patches =
      attn.out_proj(merge_heads(mixed_over_windows(parts, method_, layout))).narrow(1, 1, N);
  if (patches_have_mlp(method_)) patches = patches + x.narrow(1, 1, N);
  return at::cat({image, patches}, 1);
}

namespace {

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
          .joins_windows = method != DenseMethod::kMaskClip && !windows.whole_photo,
          .fingerprint = std::make_shared<Fingerprint>(std::move(tensors))};
}

}  // namespace

DenseClipEncoder::DenseClipEncoder(VisionTower tower, DenseMethod method, EncoderInfo info)
    : PatchEncoder(std::move(info)), tower_(std::move(tower)), method_(method) {}

Encoding DenseClipEncoder::operator()(const at::Tensor& pixels,
                                      const EncodeOptions& options) const {
  const std::vector<ResidualBlock>& blocks = tower_.transformer.resblocks;
  const auto layers = static_cast<int64_t>(blocks.size());
  const DenseLastBlock last(method_, blocks);
  TrunkRecorder trunk(layers, reads_trunk(method_));
  at::Tensor x = tower_.embed(pixels, PositionResize::kBicubic);
  trunk.record(0, x);
  for (int64_t n = 1; n < layers; ++n) {
    x = blocks[n - 1](x, /*causal=*/false);
    trunk.record(n, x);
  }
  const ResidualBlock& block = blocks.back();
  x = last(trunk.tokens(), layout_of(pixels, info.clip.patch, options));
  if (patches_have_mlp(method_)) {
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
      class_embedding_(tower.class_embedding),
      positional_embedding_(tower.positional_embedding),
      ln_pre_(tower.ln_pre),
      ln_post_(tower.ln_post),
      last_block_(method, tower.transformer.resblocks),
      tower_(tower.conv1, std::move(tower.transformer), tower.proj, precision) {}

Encoding PackedDenseClipEncoder::operator()(const at::Tensor& pixels,
                                            const EncodeOptions& options) const {
  const int64_t patch = info.clip.patch;
  const PatchLayout layout = layout_of(pixels, patch, options);
  const Extent grid = layout.grid;
  const at::Tensor positions =
      resize_positions(positional_embedding_, grid.height, grid.width, PositionResize::kBicubic);
  const int64_t tokens = positions.size(0);  // 1 + N
  PackedTower::Pass pass(tower_, pixels.size(0), tokens);
  pass.embed(pixels, class_embedding_ + positions[0], positions.narrow(0, 1, tokens - 1), ln_pre_);
  const size_t layers = tower_.blocks().size();
  TrunkRecorder trunk(static_cast<int64_t>(layers), reads_trunk(last_block_.method()));
  trunk.record(0, pass.tokens());
  for (size_t n = 1; n < layers; ++n) {
    pass.run(n - 1, n, {});
    trunk.record(static_cast<int64_t>(n), pass.tokens());
  }
  pass.tokens().copy_(last_block_(trunk.tokens(), layout));
  if (patches_have_mlp(last_block_.method())) {
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
      dense_recipe(method, whole_photo, static_cast<double>(clip.config.resolution));
  return {.encoder = std::make_shared<DenseClipEncoder>(clip.visual, method,
                                                        info_of(clip, method, windows)),
          .decoder = std::make_shared<CosineDecoder>(logit_scale),
          .scoring = {.activation = ScoreActivation::kSoftmax, .calibrated_stacking = false}};
}

}  // namespace tagclip
