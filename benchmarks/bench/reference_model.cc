#include "bench/reference_model.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <cmath>

#include "base/error.h"
#include "data/image_ops.h"
#include "infer/sliding_segmenter.h"
#include "train/optimizer.h"

namespace tagclip::bench {
namespace {

at::Tensor split_heads(const at::Tensor& x,
                       int64_t heads) {  // [B, L, D] -> [B, heads, L, D / heads]
  return x.unflatten(-1, {heads, -1}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

// Returns q k' / sqrt(width of a head), [B, heads, Q, K].
at::Tensor attention_logits(const at::Tensor& q, const at::Tensor& k, int64_t heads) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)) / static_cast<double>(heads));
  return (split_heads(q, heads) * scale).matmul(split_heads(k, heads).transpose(-2, -1));
}

at::Tensor channels(const std::array<double, 3>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kFloat);
}

at::Tensor probabilities(const at::Tensor& maps, const Image& photo) {
  return at::upsample_bilinear2d(maps, {photo.height, photo.width}, /*align_corners=*/false)
      .sigmoid();
}

std::map<std::string, at::Tensor> with_own_trained(const SegmentationModel& model) {
  std::map<std::string, at::Tensor> parameters = parameters_by_name(model);
  for (auto& [name, value] : parameters) {
    if (is_trained(name, model.config)) value = value.detach().clone().requires_grad_();
  }
  return parameters;
}

}  // namespace

bool ReferenceModel::computes(const ModelConfig& config) {
  return config.prompts > 0 && config.prompted_layers() == config.clip.vision_layers &&
         !config.has_own_learner() && config.trusty_token && config.protocol == Protocol::kReleased;
}

ReferenceModel::ReferenceModel(const ModelConfig& config,
                               std::map<std::string, at::Tensor> parameters)
    : config_(config), parameters_(std::move(parameters)) {
  TAGCLIP_CHECK(computes(config), "the reference is TagCLIP as released");
}

MaskLogits ReferenceModel::operator()(const at::Tensor& pixels, const at::Tensor& text,
                                      const Dropout& prompt_dropout,
                                      const Dropout& decoder_dropout) const {
  const Encoding encoding = encode(pixels, prompt_dropout);
  DecoderOutput output{queries(text, encoding.image), {}};
  for (int64_t layer = 0; layer < config_.decoder_layers; ++layer) {
    output = decoder_layer(layer, output.queries, encoding.patches, decoder_dropout);
  }
  const at::Tensor maps = output.masks.unflatten(2, {encoding.height, encoding.width});
  return {.classes = maps.narrow(1, 0, text.size(0)), .trusty = maps.narrow(1, text.size(0), 1)};
}

Encoding ReferenceModel::encode(const at::Tensor& pixels, const Dropout& dropout) const {
  const int64_t B = pixels.size(0), P = config_.prompts;
  at::Tensor x = embed(pixels);
  const int64_t N = x.size(1) - 1;
  for (int64_t layer = 0; layer < config_.clip.vision_layers; ++layer) {
    const at::Tensor patches = x.narrow(1, x.size(1) - N, N);
    x = block(layer, at::cat({x.narrow(1, 0, 1), prompts(layer, B, dropout), patches}, 1));
  }
  x = layer_norm("backbone.ln_post", layer_norm("backbone.prompt_norm", x, 1e-6));
  x = x.matmul(parameter("backbone.proj"));  // [B, 1 + P + N, d]
  const int64_t patch = config_.clip.patch;
  return {l2_normalize(x.narrow(1, 1 + P, N)), l2_normalize(x.select(1, 0)), pixels.size(2) / patch,
          pixels.size(3) / patch};
}

at::Tensor ReferenceModel::embed(const at::Tensor& pixels) const {
  const int64_t B = pixels.size(0), patch = config_.clip.patch;
  const at::Tensor& class_embedding = parameter("backbone.class_embedding");
  const at::Tensor patches =
      at::conv2d(pixels, parameter("backbone.conv1.weight"), {}, /*stride=*/patch)
          .flatten(2)
          .transpose(1, 2);
  const at::Tensor tokens = at::cat({class_embedding.expand({B, 1, -1}), patches}, 1);
  const at::Tensor positions = resize_positions(parameter("backbone.positional_embedding"),
                                                pixels.size(2) / patch, pixels.size(3) / patch);
  // The class embedding enters twice (spec section 2.2).
  const at::Tensor first = (positions[0] + class_embedding).unsqueeze(0);
  const at::Tensor rest = positions.narrow(0, 1, positions.size(0) - 1);
  return layer_norm("backbone.ln_pre", tokens + at::cat({first, rest}));
}

at::Tensor ReferenceModel::prompts(int64_t layer, int64_t batch, const Dropout& dropout) const {
  const at::Tensor embeddings =
      layer == 0 ? parameter("backbone.prompt_embeddings")
                 : parameter("backbone.deep_prompt_embeddings").narrow(0, layer - 1, 1);
  return dropout(linear("backbone.prompt_proj", embeddings).expand({batch, -1, -1}));
}

at::Tensor ReferenceModel::block(int64_t layer, at::Tensor x) const {
  const std::string name = "backbone.transformer.resblocks." + std::to_string(layer);
  x = x + self_attention(name + ".attn", layer_norm(name + ".ln_1", x), config_.clip.vision_heads);
  const at::Tensor hidden = linear(name + ".mlp.c_fc", layer_norm(name + ".ln_2", x));
  return x + linear(name + ".mlp.c_proj", activate(hidden, config_.clip.activation));
}

at::Tensor ReferenceModel::queries(const at::Tensor& text, const at::Tensor& image) const {
  const at::Tensor tokens = at::cat({text, parameter("decode_head.disc_token")}).unsqueeze(0);
  const at::Tensor related = tokens * image.unsqueeze(1);
  return linear("decode_head.relationship_discriptor.q_proj",
                at::cat({related, tokens.expand_as(related)}, 2));
}

ReferenceModel::DecoderOutput ReferenceModel::decoder_layer(int64_t layer, at::Tensor x,
                                                            const at::Tensor& patches,
                                                            const Dropout& dropout) const {
  const std::string name = "decode_head.decoder.layers." + std::to_string(layer);
  if (config_.has_self_attention(layer)) {
    const at::Tensor attended =
        self_attention(name + ".self_attn", x, config_.decoder_heads, dropout);
    x = layer_norm(name + ".norm1", x + dropout(attended));
  }
  const auto [gathered, masks] = mask_attention(name + ".multihead_attn", x, patches, dropout);
  x = layer_norm(name + ".norm2", x + dropout(gathered));
  const at::Tensor hidden = dropout(at::relu(linear(name + ".linear1", x)));
  return {layer_norm(name + ".norm3", x + dropout(linear(name + ".linear2", hidden))), masks};
}

ReferenceModel::DecoderOutput ReferenceModel::mask_attention(const std::string& name,
                                                             const at::Tensor& x,
                                                             const at::Tensor& patches,
                                                             const Dropout& dropout) const {
  const int64_t heads = config_.decoder_heads;
  const at::Tensor logits = attention_logits(linear(name + ".q", x), linear(name + ".k", patches),
                                             heads);  // [B, heads, C + 1, N]
  const at::Tensor values = split_heads(linear(name + ".v", patches), heads);
  const at::Tensor mixed = dropout(logits.softmax(-1)).matmul(values);
  return {linear(name + ".proj", merge_heads(mixed)), logits.mean(1)};
}

at::Tensor ReferenceModel::linear(const std::string& name, const at::Tensor& x) const {
  return at::linear(x, parameter(name + ".weight"), parameter(name + ".bias"));
}

at::Tensor ReferenceModel::layer_norm(const std::string& name, const at::Tensor& x,
                                      double epsilon) const {
  return at::layer_norm(x, {x.size(-1)}, parameter(name + ".weight"), parameter(name + ".bias"),
                        epsilon);
}

at::Tensor ReferenceModel::self_attention(const std::string& name, const at::Tensor& x,
                                          int64_t heads, const Dropout& dropout) const {
  const auto qkv =
      at::linear(x, parameter(name + ".in_proj_weight"), parameter(name + ".in_proj_bias"))
          .chunk(3, -1);
  const at::Tensor weights = dropout(attention_logits(qkv[0], qkv[1], heads).softmax(-1));
  return linear(name + ".out_proj", merge_heads(weights.matmul(split_heads(qkv[2], heads))));
}

std::map<std::string, at::Tensor> parameters_by_name(const SegmentationModel& model) {
  std::map<std::string, at::Tensor> result;
  for (const Parameter& parameter : model.parameters.all())
    result[parameter.name] = parameter.tensor;
  return result;
}

ReferenceSegmenter::ReferenceSegmenter(const SegmentationModel& model,
                                       const EmbeddedVocabulary& vocabulary)
    : model_(model.config, parameters_by_name(model)), text_(vocabulary.embeddings) {
  seen_ = at::empty({static_cast<int64_t>(vocabulary.seen.size()), 1, 1}, at::kBool);
  for (size_t c = 0; c < vocabulary.seen.size(); ++c)
    seen_.data_ptr<bool>()[c] = vocabulary.seen[c];
  seen_bias_ = seen_.to(at::kFloat) * (vocabulary.inductive ? kReleasedSeenBias : 0);
}

at::Tensor ReferenceSegmenter::pixels(const Image& photo) const {
  const PixelNormalization normalization;  // of pixels from 0 to 1
  const at::Tensor bytes = at::from_blob(const_cast<uint8_t*>(photo.pixels.data()),
                                         {1, photo.height, photo.width, 3}, at::kByte);
  const at::Tensor values = (bytes.to(at::kFloat) - 255 * channels(normalization.mean)) /
                            (255 * channels(normalization.std));
  return values.permute({0, 3, 1, 2}).contiguous();
}

MaskLogits ReferenceSegmenter::logits(const Image& photo) const {
  return model_(pixels(photo), text_);
}

at::Tensor ReferenceSegmenter::operator()(const Image& photo) const {
  const c10::InferenceMode no_gradients;
  const MaskLogits maps = logits(photo);
  const at::Tensor scores = probabilities(maps.classes, photo) - seen_bias_;  // [1, C, H, W]
  const at::Tensor novel = probabilities(maps.trusty, photo);                 // [1, 1, H, W]
  return (scores * at::where(seen_, 1 - novel, novel)).argmax(1).squeeze(0);
}

ReferenceStep::ReferenceStep(const SegmentationModel& model, const TrainConfig& config)
    : config_(config), model_(model.config, with_own_trained(model)) {
  for (const auto& [name, value] : model_.parameters()) {
    if (value.requires_grad()) slots_[name] = {value, at::zeros_like(value), at::zeros_like(value)};
  }
}

double ReferenceStep::operator()(const StepInput& batch, int64_t iteration) {
  for (auto& [name, slot] : slots_) slot.value.mutable_grad().reset();
  const at::Tensor total = loss(batch, iteration);
  total.backward();
  update(learning_rate(config_.schedule, config_.optimizer.lr, iteration));
  return total.item<double>();
}

MaskLogits ReferenceStep::logits(const StepInput& batch, const at::Generator& generator) const {
  const bool mixed = config_.precision == ComputePrecision::kBFloat16;
  const AutocastGuard autocast(mixed, batch.pixels.device().type());
  MaskLogits logits = model_(batch.pixels, batch.text, Dropout(config_.prompt_dropout, generator),
                             Dropout(config_.decoder_dropout, generator));
  logits.classes = logits.classes.to(at::kFloat);
  logits.trusty = logits.trusty.to(at::kFloat);
  return logits;
}

at::Tensor ReferenceStep::loss(const StepInput& batch, int64_t iteration) const {
  at::Generator generator = dropout_generator(batch.pixels.device());
  seed_dropout(generator, config_.seed, iteration);
  const MaskLogits logits = this->logits(batch, generator);
  const at::Tensor masks = count_masks(batch.targets.labels, batch.text.size(0));
  return reference_segmentation_losses(logits, batch.targets, masks, Protocol::kReleased,
                                       config_.loss)
      .total();
}

void ReferenceStep::update(double lr) {
  at::NoGradGuard no_grad;
  const AdamWConfig& adamw = config_.optimizer;
  ++steps_;
  const double first_correction = 1 - std::pow(adamw.beta1, steps_);
  const double second_correction = 1 - std::pow(adamw.beta2, steps_);
  for (auto& [name, slot] : slots_) {
    const at::Tensor& gradient = slot.value.grad();
    slot.value.mul_(1 - lr * adamw.weight_decay);
    slot.first_moment.lerp_(gradient, 1 - adamw.beta1);
    slot.second_moment.mul_(adamw.beta2).addcmul_(gradient, gradient, 1 - adamw.beta2);
    const at::Tensor deviation =
        (slot.second_moment.sqrt() / std::sqrt(second_correction)).add_(adamw.epsilon);
    slot.value.addcdiv_(slot.first_moment, deviation, -lr / first_correction);
  }
}

std::map<std::string, at::Tensor> ReferenceStep::gradients() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, slot] : slots_) result[name] = slot.value.grad();
  return result;
}

}  // namespace tagclip::bench
