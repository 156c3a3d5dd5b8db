#include "export/decode_head.h"

#include <cmath>

#include "base/error.h"

namespace tagclip {

using onnx::concat;
using onnx::Value;

namespace {

const std::string kHead = "decode_head";

// The sizes of the decoder's attentions, which have the embeddings' width.
BlockSizes head_sizes(const ModelConfig& config) {
  return {config.clip.embedding, config.decoder_heads};
}

// An input of the Trusty Learner (learner_input): tokens T' [Q, d], image h [B, d] -> [B, Q, ...].
Value learner_input(LearnerInput input, const Value& tokens, const Value& image) {
  Value product = unsqueeze(tokens, {0}) * unsqueeze(image, {1});  // [B, Q, d]
  const Value shape = shape_of(product, 0, 3);
  Value text = expand(unsqueeze(tokens, {0}), shape);
  switch (input) {
    case LearnerInput::kTHat:
      return concat({product, text}, 2);
    case LearnerInput::kText:
      return text;
    case LearnerInput::kImage:
      return expand(unsqueeze(image, {1}), shape);
    case LearnerInput::kProduct:
      return product;
    case LearnerInput::kConcat:
      return concat({text, expand(unsqueeze(image, {1}), shape)}, 2);
  }
  TAGCLIP_CHECK(false, "no such input of the Trusty Learner");
}

// CrossAttention: queries [B, Q, d], keys and values [B, L, d] -> [B, Q, d].
Value cross_attention(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
                      const Value& queries, const Value& keys, const Value& values) {
  const auto per_head = [&](const char* part, const Value& x) {
    return split_heads(build.linear(name + part, x), sizes.heads, sizes.head_width());
  };
  const Value attended = build.attention(per_head(".q", queries), per_head(".k", keys),
                                         per_head(".v", values), sizes.head_width());
  return build.linear(name + ".proj", merge_heads(attended, sizes.width));
}

// The logits of CrossAttention::mask_logits: [B, Q, N]. k is applied to the queries.
Value mask_logits(const GraphBuilder& build, const std::string& name, const BlockSizes& sizes,
                  const Value& queries, const Value& patches) {
  const double scale =
      1 / (static_cast<double>(sizes.heads) * std::sqrt(static_cast<double>(sizes.head_width())));
  const Value scaled = build.linear(name + ".q", queries) * static_cast<float>(scale);
  const at::Tensor& bias = build.parameter(name + ".k.bias");
  const Value moved =
      build.product(scaled, build.factor(name + ".k.weight", build.parameter(name + ".k.weight")));
  const Value constant =
      matmul(scaled, build.constant(name + ".k.bias.column", bias.view({-1, 1})));
  return build.product(moved, transpose(patches, {0, 2, 1})) + constant;
}

// TrustyLearner: [B, Q, d].
Value learnt_queries(const GraphBuilder& build, const ModelConfig& config, const Value& tokens,
                     const Value& image) {
  const std::string learner = kHead + ".learner";
  const auto input = [&](const char* name, LearnerInput kind) {
    return build.linear(learner + name, learner_input(kind, tokens, image));
  };
  const Value query = input(".query", config.learner_query);
  const Value attended =
      cross_attention(build, learner + ".attention", head_sizes(config), query,
                      input(".key", config.learner_key), input(".value", config.learner_value));
  Value learnt = build.layer_norm(learner + ".norm", query + attended);
  if (!config.learner_text_after) return learnt;
  const Value text = learner_input(LearnerInput::kText, tokens, image);
  return build.linear(learner + ".join", concat({learnt, text}, 2));
}

// The segmentor's queries, T-hat or the Trusty Learner's: [B, Q, d].
Value queries_of(const GraphBuilder& build, const ModelConfig& config, const Value& text,
                 const Value& image, bool trusty_token) {
  const Value tokens = trusty_token ? concat({text, build.weight(kHead + ".disc_token")}, 0) : text;
  if (config.has_own_learner()) return learnt_queries(build, config, tokens, image);
  return build.linear(kHead + ".relationship_discriptor.q_proj",
                      learner_input(LearnerInput::kTHat, tokens, image));
}

// DecoderLayer::relate and ::update.
Value related(const GraphBuilder& build, const std::string& layer, const BlockSizes& sizes,
              const Value& queries) {
  const std::string attn = layer + ".self_attn";
  const auto [q, k, v] = attention_parts(build, attn, sizes, queries);
  const Value attended = build.attention(q, k, v, sizes.head_width());
  return build.layer_norm(layer + ".norm1",
                          queries + attention_output(build, attn, sizes, attended));
}

Value updated(const GraphBuilder& build, const std::string& layer, const BlockSizes& sizes,
              const Value& related, const Value& patches) {
  const Value gathered =
      cross_attention(build, layer + ".multihead_attn", sizes, related, patches, patches);
  const Value x = build.layer_norm(layer + ".norm2", related + gathered);
  const Value inner = relu(build.linear(layer + ".linear1", x));
  return build.layer_norm(layer + ".norm3", x + build.linear(layer + ".linear2", inner));
}

}  // namespace

MaskValues decoded(const GraphBuilder& build, const ModelConfig& config,
                   const EncodingValues& encoding, const Value& text, bool trusty_token) {
  const BlockSizes sizes = head_sizes(config);
  const Value patches = reshape(encoding.patches, {0, -1, config.clip.embedding});  // [B, N, d]
  Value queries = queries_of(build, config, text, encoding.image, trusty_token);
  Value logits;
  for (int64_t i = 0; i < config.decoder_layers; ++i) {
    const std::string layer = kHead + ".decoder.layers." + std::to_string(i);
    const bool is_last = i + 1 == config.decoder_layers;
    if (config.has_self_attention(i)) queries = related(build, layer, sizes, queries);
    if (is_last) logits = mask_logits(build, layer + ".multihead_attn", sizes, queries, patches);
    // Only the presence head reads what the last layer makes of its queries.
    if (!is_last || config.has_presence_head()) {
      queries = updated(build, layer, sizes, queries, patches);
    }
  }
  const Value maps =
      reshape(logits, concat({shape_of(logits, 0, 2), shape_of(encoding.patches, 1, 3)}, 0));
  MaskValues result{.classes = trusty_token ? slice(maps, 1, 0, -1) : maps};
  if (trusty_token) result.trusty = slice(maps, 1, -1);
  if (config.has_presence_head()) {
    const Value of_classes = trusty_token ? slice(queries, 1, 0, -1) : queries;
    result.presence = squeeze(build.linear(kHead + ".class_embed", of_classes), 2);
  }
  return result;
}

}  // namespace tagclip
