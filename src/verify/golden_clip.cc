#include "verify/golden_clip.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/fields_json.h"
#include "clip/clip_file.h"

namespace tagclip {
namespace {

constexpr const char* kRows = "token_embedding.rows";

// Reads the token ids [B, L], which name rows of the tower's vocabulary.
at::Tensor read_tokens(const StateDict& expected, int64_t context) {
  const at::Tensor tokens = expected.at("in.tokens", 2).to(at::kLong);
  if (tokens.numel() == 0 || tokens.size(1) > context) {
    throw bad_input(fmt::format("{}: in.tokens: expected [texts, at most {}], found {}",
                                expected.source, context, shape_text(tokens.sizes())));
  }
  return tokens;
}

void check_tokens(const at::Tensor& tokens, int64_t vocabulary, const std::string& source) {
  if (tokens.ge(0).logical_and(tokens.lt(vocabulary)).all().item<bool>()) return;
  throw bad_input(fmt::format("{}: in.tokens: expected ids from 0 to {}", source, vocabulary - 1));
}

// Replaces ids by the row of the embedding that holds them. Rows are put into the order of their
// ids first, so that the end token stays the highest of its text.
at::Tensor tokens_as_rows(const at::Tensor& tokens, StateDict& state, const std::string& source) {
  const at::Tensor rows = state.at(kRows, 1).to(at::kLong);
  at::Tensor& embedding = state.tensors.at("token_embedding.weight");
  if (embedding.dim() != 2 || embedding.size(0) != rows.numel()) {
    throw bad_input(
        fmt::format("{}: w.{}: expected one id for each row of the embedding {}, found {}",
                    state.source, kRows, shape_text(embedding.sizes()), shape_text(rows.sizes())));
  }
  const auto [ids, order] = rows.sort();
  embedding = embedding.index_select(0, order);
  state.tensors.erase(kRows);
  const at::Tensor found = at::searchsorted(ids, tokens).clamp_max(ids.numel() - 1);
  if (!ids.index({found}).eq(tokens).all().item<bool>()) {
    throw bad_input(source + ": in.tokens: there are ids that w." + kRows + " does not list");
  }
  return found;
}

}  // namespace

NamedTensors trace_text_tower(const StateDict& weights, const Metadata& metadata,
                              const StateDict& expected) {
  at::NoGradGuard no_grad;
  StateDict state = weights.renamed("w.", "");
  ClipConfig config;
  read_text_sizes(state, "", config);
  config.text_heads = positive_number(metadata, "heads", config.text_heads);
  check_stored(config, weights.source);

  at::Tensor tokens = read_tokens(expected, config.context);
  if (state.contains(kRows)) tokens = tokens_as_rows(tokens, state, expected.source);
  check_tokens(tokens, config.vocabulary, expected.source);
  ParameterList parameters;
  const TextTower tower(ParameterScope(parameters), config);
  load(parameters, state);
  const at::Tensor embedding = tower.encode(tokens);
  return {{"out.embedding", embedding}, {"out.embedding_normalized", l2_normalize(embedding)}};
}

NamedTensors trace_clip(const Clip& clip, const StateDict& expected) {
  at::NoGradGuard no_grad;
  const at::Tensor tokens = read_tokens(expected, clip.config.context);
  check_tokens(tokens, clip.config.vocabulary, expected.source);
  const at::Tensor pixels = read_golden_image(expected, "in.image_a", clip.config.patch);

  NamedTensors values;
  at::Tensor x = clip.visual.embed(pixels);
  values["clip.ln_pre_out"] = x;
  const std::vector<ResidualBlock>& blocks = clip.visual.transformer.resblocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    x = blocks[i](x, /*causal=*/false);
    values["clip.hidden." + std::to_string(i)] = x;
  }
  const at::Tensor text = clip.text.encode(tokens), image = clip.visual.encode(pixels);
  values["text.embedding"] = text;
  values["text.embedding_normalized"] = l2_normalize(text);
  values["clip.image_embedding"] = image;
  values["clip.image_embedding_normalized"] = l2_normalize(image);
  values["clip.logits_per_image"] =
      clip.logit_scale.exp() * l2_normalize(image).matmul(l2_normalize(text).t());
  return values;
}

at::Tensor read_golden_image(const StateDict& file, const std::string& name, int64_t patch) {
  const at::Tensor image = file.at(name, 4).to(at::kFloat);
  if (image.size(0) == 0 || image.size(1) != 3 || image.size(2) < patch || image.size(3) < patch) {
    throw bad_input(
        fmt::format("{}: {}: expected [B, 3, H, W] of at least one patch of {} pixels, found {}",
                    file.source, name, patch, shape_text(image.sizes())));
  }
  return image;
}

}  // namespace tagclip
