#include "model/decode_head.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "clip/test_golden.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

constexpr int64_t kWidth = 16, kHeads = 4, kBatch = 2, kClasses = 5;

ModelConfig learner_config(LearnerInput query, LearnerInput key, LearnerInput value,
                           bool text_after) {
  ModelConfig config = small_config();
  config.self_attention = "n_n_n";
  config.learner_query = query;
  config.learner_key = key;
  config.learner_value = value;
  config.learner_text_after = text_after;
  return config;
}

at::Tensor image() { return l2_normalize(at::randn({kBatch, kWidth}, seeded(8))); }

// Starting values are too faint for a difference to show.
SegmentationModel strong_model(const ModelConfig& config) {
  SegmentationModel model = small_model(config);
  at::NoGradGuard no_grad;
  uint64_t seed = 20;
  for (const Parameter& parameter : model.parameters.all()) {
    if (!parameter.name.starts_with("decode_head.learner.")) continue;
    at::Tensor(parameter.tensor).copy_(at::randn(parameter.tensor.sizes(), seeded(seed++)) * 0.3);
  }
  return model;
}

// The learner spelt out photo by photo and head by head, its inputs given as they are.
at::Tensor reference(const SegmentationModel& model, const at::Tensor& query, const at::Tensor& key,
                     const at::Tensor& value) {
  const auto linear = [&](const std::string& name, const at::Tensor& x) {
    const std::string prefix = "decode_head.learner." + name;
    return x.matmul(model.parameters.find(prefix + ".weight")->t()) +
           *model.parameters.find(prefix + ".bias");
  };
  const at::Tensor projected = linear("query", query);
  const at::Tensor q = linear("attention.q", projected),
                   k = linear("attention.k", linear("key", key)),
                   v = linear("attention.v", linear("value", value));
  std::vector<at::Tensor> heads;
  for (int64_t h = 0; h < kHeads; ++h) {
    const auto part = [&](const at::Tensor& x) { return x.narrow(1, h * kWidth / kHeads, 4); };
    const at::Tensor weights = (part(q).matmul(part(k).t()) / std::sqrt(4.0)).softmax(1);
    heads.push_back(weights.matmul(part(v)));
  }
  const at::Tensor x = projected + linear("attention.proj", at::cat(heads, 1));
  const at::Tensor centred = x - x.mean(1, true);
  const at::Tensor scale = (centred.square().mean(1, true) + 1e-5).rsqrt();
  return centred * scale * *model.parameters.find("decode_head.learner.norm.weight") +
         *model.parameters.find("decode_head.learner.norm.bias");
}

TEST(LearnerInput, IsMadeOfWordsAndPhotoAsThePaperNamesIt) {
  const at::Tensor tokens = at::randn({kClasses, kWidth}, seeded(7)), h = image();
  for (int64_t photo = 0; photo < kBatch; ++photo) {
    const at::Tensor repeated = h[photo].expand({kClasses, -1});
    const std::pair<LearnerInput, at::Tensor> expected[] = {
        {LearnerInput::kTHat, at::cat({tokens * repeated, tokens}, 1)},
        {LearnerInput::kText, tokens},
        {LearnerInput::kImage, repeated},
        {LearnerInput::kProduct, tokens * repeated},
        {LearnerInput::kConcat, at::cat({tokens, repeated}, 1)}};
    for (const auto& [kind, value] : expected) {
      const at::Tensor input = learner_input(kind, tokens, h);
      EXPECT_TRUE(input[photo].equal(value)) << static_cast<int>(kind);
      EXPECT_EQ(input.size(2), learner_input_width(kind, kWidth)) << static_cast<int>(kind);
    }
  }
}

TEST(TrustyLearner, MixedInputsEqualThePlainComputation) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = strong_model(learner_config(
      LearnerInput::kProduct, LearnerInput::kText, LearnerInput::kConcat, /*text_after=*/false));
  const at::Tensor text = small_text(kClasses), h = image();
  const at::Tensor tokens = at::cat({text, *model.parameters.find("decode_head.disc_token")});
  const at::Tensor queries = model.head.queries(text, h);
  ASSERT_EQ(queries.sizes(), (std::vector<int64_t>{kBatch, kClasses + 1, kWidth}));
  for (int64_t photo = 0; photo < kBatch; ++photo) {
    const at::Tensor repeated = h[photo].expand_as(tokens);
    expect_near("queries", queries[photo],
                reference(model, tokens * repeated, tokens, at::cat({tokens, repeated}, 1)), 1e-5);
  }
}

TEST(TrustyLearner, TextMayJoinItsOutput) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = strong_model(learner_config(
      LearnerInput::kImage, LearnerInput::kImage, LearnerInput::kText, /*text_after=*/true));
  const at::Tensor text = small_text(kClasses), h = image();
  const at::Tensor tokens = at::cat({text, *model.parameters.find("decode_head.disc_token")});
  const at::Tensor queries = model.head.queries(text, h);
  for (int64_t photo = 0; photo < kBatch; ++photo) {
    const at::Tensor repeated = h[photo].expand_as(tokens);
    const at::Tensor learnt = reference(model, repeated, repeated, tokens);
    // Every class would have the same query without the text.
    expect_near("rows", learnt, learnt.narrow(0, 0, 1).expand_as(learnt), 1e-5);
    const at::Tensor joined =
        at::cat({learnt, tokens}, 1)
            .matmul(model.parameters.find("decode_head.learner.join.weight")->t()) +
        *model.parameters.find("decode_head.learner.join.bias");
    expect_near("queries", queries[photo], joined, 1e-5);
  }
}

TEST(TrustyLearner, DropsOutInTrainingAlone) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = strong_model(
      learner_config(LearnerInput::kText, LearnerInput::kProduct, LearnerInput::kText, false));
  const at::Tensor text = small_text(kClasses), h = image();
  const at::Tensor evaluated = model.head.queries(text, h);
  expect_near("no dropout", model.head.queries(text, h, Dropout(1e-12, seeded())), evaluated, 1e-5);
  EXPECT_GT(
      (model.head.queries(text, h, Dropout(0.3, seeded())) - evaluated).abs().max().item<float>(),
      0.01);
}

TEST(TrustyLearner, ReplacesTheDescriptorAndTheFirstSelfAttention) {
  const SegmentationModel model = small_model(
      learner_config(LearnerInput::kText, LearnerInput::kText, LearnerInput::kImage, false));
  for (const Parameter& parameter : model.parameters.all()) {
    EXPECT_EQ(parameter.name.find("relationship_discriptor"), std::string::npos) << parameter.name;
    EXPECT_EQ(parameter.name.find("self_attn"), std::string::npos) << parameter.name;
    EXPECT_EQ(parameter.name.find("learner.join"), std::string::npos) << parameter.name;
  }
  const SegmentationModel usual = small_model();
  for (const Parameter& parameter : usual.parameters.all()) {
    EXPECT_EQ(parameter.name.find("learner"), std::string::npos) << parameter.name;
  }
}

}  // namespace
}  // namespace tagclip
