// Start values against a table of what the released constructors leave: every tensor's
// distribution, and that no two tensors share their draws.
#include "model/start_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>

#include "model/test_model.h"

namespace tagclip {
namespace {

struct Start {
  enum Kind { kConstant, kUniform, kNormal } kind;
  double value;  // the constant, the bound v of U(-v, v), or the standard deviation
};
Start constant_of(double value) { return {Start::kConstant, value}; }
Start uniform_within(double bound) { return {Start::kUniform, bound}; }
Start normal_of(double std) { return {Start::kNormal, std}; }

using Table = std::map<std::string, Start>;

// The sizes are ViT-B/16's, with two blocks of its twelve.
constexpr int64_t kWidth = 768, d = 512, kPatch = 16;

ModelConfig config_of(const std::string& architecture) {
  ModelConfig config;
  config.clip.resolution = 32;
  config.clip.vision_layers = 2;
  apply_architecture(architecture, config);
  return config;
}

double xavier(int64_t rows, int64_t columns) {
  return std::sqrt(6.0 / static_cast<double>(rows + columns));
}
double fan_in(int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }

void add_norm(const std::string& name, Table& table) {
  table[name + ".weight"] = constant_of(1);
  table[name + ".bias"] = constant_of(0);
}

void add_prompts(Table& table) {
  const Start prompts = uniform_within(std::sqrt(6.0 / (3 * kPatch * kPatch + kWidth)));
  table["backbone.prompt_embeddings"] = prompts;
  table["backbone.deep_prompt_embeddings"] = prompts;
  table["backbone.prompt_proj.weight"] = normal_of(std::sqrt(2.0 / kWidth));
  table["backbone.prompt_proj.bias"] = uniform_within(fan_in(kWidth));
  add_norm("backbone.prompt_norm", table);
}

constexpr const char* kDescriptor = "decode_head.relationship_discriptor.q_proj";

std::string layer_name(int layer) {
  return "decode_head.decoder.layers." + std::to_string(layer) + ".";
}

Table tagclip_table() {
  Table table;
  add_prompts(table);
  table["decode_head.disc_token"] = uniform_within(xavier(1, d));
  table[std::string(kDescriptor) + ".weight"] = uniform_within(xavier(d, 2 * d));
  table[std::string(kDescriptor) + ".bias"] = constant_of(0);
  const std::string attention = layer_name(0) + "self_attn.";
  table[attention + "in_proj_weight"] = uniform_within(xavier(3 * d, d));
  table[attention + "in_proj_bias"] = constant_of(0);
  table[attention + "out_proj.weight"] = uniform_within(xavier(d, d));
  table[attention + "out_proj.bias"] = constant_of(0);
  for (int layer = 0; layer < 3; ++layer) {
    for (const char* part : {"q", "k", "v", "proj"}) {
      const std::string name = layer_name(layer) + "multihead_attn." + part;
      table[name + ".weight"] = uniform_within(xavier(d, d));
      table[name + ".bias"] = uniform_within(fan_in(d));
    }
    table[layer_name(layer) + "linear1.weight"] = uniform_within(xavier(4 * d, d));
    table[layer_name(layer) + "linear1.bias"] = uniform_within(fan_in(d));
    table[layer_name(layer) + "linear2.weight"] = uniform_within(xavier(d, 4 * d));
    table[layer_name(layer) + "linear2.bias"] = uniform_within(fan_in(4 * d));
    for (const char* norm : {"norm1", "norm2", "norm3"}) add_norm(layer_name(layer) + norm, table);
  }
  return table;
}

Table zegclip_table() {
  Table table;
  add_prompts(table);
  table[std::string(kDescriptor) + ".weight"] = uniform_within(fan_in(2 * d));
  table[std::string(kDescriptor) + ".bias"] = uniform_within(fan_in(2 * d));
  for (int layer = 0; layer < 3; ++layer) {
    const std::string attention = layer_name(layer) + "self_attn.";
    table[attention + "in_proj_weight"] = uniform_within(xavier(3 * d, d));
    table[attention + "in_proj_bias"] = constant_of(0);
    table[attention + "out_proj.weight"] = uniform_within(fan_in(d));
    table[attention + "out_proj.bias"] = constant_of(0);
    for (const char* part : {"q", "k", "v", "proj"}) {
      const std::string name = layer_name(layer) + "multihead_attn." + part;
      table[name + ".weight"] = table[name + ".bias"] = uniform_within(fan_in(d));
    }
    for (const char* part : {"weight", "bias"}) {
      table[layer_name(layer) + "linear1." + part] = uniform_within(fan_in(d));
      table[layer_name(layer) + "linear2." + part] = uniform_within(fan_in(4 * d));
    }
    for (const char* norm : {"norm1", "norm2", "norm3"}) add_norm(layer_name(layer) + norm, table);
  }
  return table;
}

// Describes a head of Table 1 (c): T, TH, [T, H] as queries, keys and values, and T after them.
Table learner_table() {
  Table table = tagclip_table();
  for (const char* name : {"self_attn.in_proj_weight", "self_attn.in_proj_bias",
                           "self_attn.out_proj.weight", "self_attn.out_proj.bias"}) {
    table.erase(layer_name(0) + name);
  }
  table.erase(std::string(kDescriptor) + ".weight");
  table.erase(std::string(kDescriptor) + ".bias");
  const std::string learner = "decode_head.learner.";
  for (const auto& [part, in] :
       {std::pair{"query", d}, std::pair{"key", d}, std::pair{"value", 2 * d}}) {
    table[learner + part + ".weight"] = uniform_within(xavier(d, in));
    table[learner + part + ".bias"] = constant_of(0);
  }
  for (const char* part : {"q", "k", "v", "proj"}) {
    table[learner + "attention." + part + ".weight"] = uniform_within(xavier(d, d));
    table[learner + "attention." + part + ".bias"] = uniform_within(fan_in(d));
  }
  add_norm(learner + "norm", table);
  table[learner + "join.weight"] = uniform_within(xavier(d, 2 * d));
  table[learner + "join.bias"] = uniform_within(fan_in(2 * d));
  return table;
}

// Returns the largest distance between the distribution of the values and the expected one, times
// sqrt(n) (Kolmogorov and Smirnov): above 2 with a probability of 0.0007.
double kolmogorov(const at::Tensor& values, const Start& start) {
  const at::Tensor sorted = std::get<0>(values.flatten().to(at::kDouble).sort());
  const int64_t n = sorted.numel();
  const at::Tensor expected = start.kind == Start::kUniform
                                  ? (sorted / start.value + 1) / 2
                                  : (at::erf(sorted / (start.value * std::numbers::sqrt2)) + 1) / 2;
  const at::Tensor rank = at::arange(n, at::kDouble);
  const double above = ((rank + 1) / n - expected).max().item<double>();
  const double below = (expected - rank / n).max().item<double>();
  return std::max(above, below) * std::sqrt(static_cast<double>(n));
}

void expect_start(const std::string& name, const at::Tensor& values, const Start& start) {
  if (start.kind == Start::kConstant) {
    EXPECT_TRUE(values.eq(start.value).all().item<bool>()) << name;
    return;
  }
  const auto n = static_cast<double>(values.numel());
  const bool is_uniform = start.kind == Start::kUniform;
  const double std = is_uniform ? start.value / std::sqrt(3.0) : start.value;
  const double largest = values.abs().max().item<double>();
  EXPECT_GT(largest, 0) << name;
  if (is_uniform) {
    EXPECT_LE(largest, start.value * (1 + 1e-6)) << name;
  }
  if (n < 100) return;
  EXPECT_NEAR(values.mean().item<double>(), 0, 5 * std / std::sqrt(n)) << name;
  // The spread of a sample's standard deviation, by the kurtosis: 1.8 of a uniform, 3 of a normal.
  const double relative = std::sqrt((is_uniform ? 0.8 : 2) / (4 * n));
  EXPECT_NEAR(values.std().item<double>() / std, 1, 5 * relative) << name;
  EXPECT_LT(kolmogorov(values, start), 2) << name;
  if (is_uniform) {
    EXPECT_GE(largest, start.value * (1 - 12 / n)) << name;  // fails once in e^12
  }
}

bool starts_anew(const std::string& name) {
  return name.starts_with("decode_head.") || name.find("prompt_") != std::string::npos;
}

void expect_table(const SegmentationModel& model, const Table& table) {
  size_t found = 0;
  for (const Parameter& parameter : model.parameters.all()) {
    if (!starts_anew(parameter.name)) continue;
    ++found;
    const auto row = table.find(parameter.name);
    ASSERT_NE(row, table.end()) << parameter.name << " is in no table";
    expect_start(parameter.name, parameter.tensor, row->second);
  }
  EXPECT_EQ(found, table.size());
}

// True if two tensors are made of the same random numbers, scaled to their bounds.
bool share_draws(const at::Tensor& a, double scale_a, const at::Tensor& b, double scale_b) {
  const int64_t n = std::min<int64_t>({a.numel(), b.numel(), 64});
  const at::Tensor first = a.flatten().narrow(0, 0, n) / scale_a;
  return first.allclose(b.flatten().narrow(0, 0, n) / scale_b, 1e-4, 1e-4);
}

void expect_no_shared_draws(const SegmentationModel& model, const Table& table) {
  std::vector<std::pair<const Parameter*, double>> drawn;
  for (const Parameter& parameter : model.parameters.all()) {
    if (!starts_anew(parameter.name)) continue;
    const Start& start = table.at(parameter.name);
    if (start.kind == Start::kConstant) continue;
    for (const auto& [other, scale] : drawn) {
      EXPECT_FALSE(share_draws(parameter.tensor, start.value, other->tensor, scale))
          << parameter.name << " and " << other->name;
    }
    drawn.emplace_back(&parameter, start.value);
  }
  EXPECT_GT(drawn.size(), 1);
}

TEST(StartValues, TagClip) {
  const SegmentationModel model = small_model(config_of("tagclip"));
  expect_table(model, tagclip_table());
  expect_no_shared_draws(model, tagclip_table());
  const at::Tensor& token = *model.parameters.find("decode_head.disc_token");
  EXPECT_NEAR(token.norm().item<double>(), 1.41, 0.05);  // not 13, as rand(1, d) alone would have
}

TEST(StartValues, PaperProtocolAddsAPresenceHead) {
  ModelConfig config = config_of("tagclip");
  config.protocol = Protocol::kPaper;
  Table table = tagclip_table();
  table["decode_head.class_embed.weight"] = uniform_within(xavier(1, d));
  table["decode_head.class_embed.bias"] = uniform_within(fan_in(d));
  const SegmentationModel model = small_model(config);
  expect_table(model, table);
  expect_no_shared_draws(model, table);
}

TEST(StartValues, ZegClip) {
  const SegmentationModel model = small_model(config_of("zegclip-released"));
  expect_table(model, zegclip_table());
}

// torch.nn.TransformerDecoder copies the one layer that it is given.
TEST(StartValues, LayersOfZegClipStartEqual) {
  const SegmentationModel model = small_model(config_of("zegclip-released"));
  for (const Parameter& parameter : model.parameters.all()) {
    if (!parameter.name.starts_with(layer_name(0))) continue;
    const std::string rest = parameter.name.substr(layer_name(0).size());
    for (const int layer : {1, 2}) {
      const at::Tensor& copy = *model.parameters.find(layer_name(layer) + rest);
      EXPECT_TRUE(copy.equal(parameter.tensor)) << rest << " of layer " << layer;
      EXPECT_FALSE(copy.is_alias_of(parameter.tensor)) << rest;
    }
  }
}

TEST(StartValues, TagClipsCodeWithSelfAttentionInAllLayersDrawsItsOwn) {
  Table table = tagclip_table();
  table.erase("decode_head.disc_token");
  for (const int layer : {1, 2}) {
    for (const char* name : {"self_attn.in_proj_weight", "self_attn.in_proj_bias",
                             "self_attn.out_proj.weight", "self_attn.out_proj.bias"}) {
      table[layer_name(layer) + name] = table.at(layer_name(0) + name);
    }
  }
  const SegmentationModel model = small_model(config_of("zegclip"));
  expect_table(model, table);
  expect_no_shared_draws(model, table);
}

TEST(StartValues, TrustyLearnerOfItsOwn) {
  ModelConfig config = config_of("tagclip");
  config.self_attention = "n_n_n";
  config.learner_query = LearnerInput::kText;
  config.learner_key = LearnerInput::kProduct;
  config.learner_value = LearnerInput::kConcat;
  config.learner_text_after = true;
  const SegmentationModel model = small_model(config);
  expect_table(model, learner_table());
  expect_no_shared_draws(model, learner_table());
}

TEST(StartValues, FollowTheSeed) {
  const ModelConfig config = config_of("tagclip");
  const SegmentationModel model = small_model(config), again = small_model(config);
  for (const Parameter& parameter : model.parameters.all()) {
    EXPECT_TRUE(parameter.tensor.equal(*again.parameters.find(parameter.name))) << parameter.name;
  }
}

}  // namespace
}  // namespace tagclip
