// These tests hold, for every switch of the paper's ablations, the parameters that training
// changes: those that receive a gradient, no more and no fewer.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "clip/test_golden.h"
#include "model/losses.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

constexpr auto kTHat = LearnerInput::kTHat, kT = LearnerInput::kText, kH = LearnerInput::kImage,
               kTH = LearnerInput::kProduct, kCat = LearnerInput::kConcat;

struct Kind {
  std::string name;
  ModelConfig config;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

Kind architecture(const std::string& name, int64_t prompts = 3) {
  ModelConfig config = small_config();
  apply_architecture(name, config);
  config.prompts = prompts;
  return {name + "_prompts_" + std::to_string(prompts), config};
}

Kind pattern(const std::string& self_attention, bool trusty_token) {
  ModelConfig config = small_config();
  config.self_attention = self_attention;
  config.decoder_layers = static_cast<int64_t>(self_attention.size() + 1) / 2;
  config.trusty_token = trusty_token;
  return {self_attention + (trusty_token ? "_token" : "_no_token"), config};
}

Kind prompt_depth(int64_t depth, int64_t prompts) {
  ModelConfig config = small_config();
  config.clip.vision_layers = 4;
  config.prompts = prompts;
  config.prompt_depth = depth;
  return {"depth_" + std::to_string(depth) + "_prompts_" + std::to_string(prompts), config};
}

Kind learner(const std::string& name, LearnerInput query, LearnerInput key, LearnerInput value,
             bool text_after = false) {
  ModelConfig config = small_config();
  config.self_attention = "n_n_n";
  config.learner_query = query;
  config.learner_key = key;
  config.learner_value = value;
  config.learner_text_after = text_after;
  return {"learner_" + name + (text_after ? "_after" : ""), config};
}

// Covers Table 1: rows (a), (b) and the last of (c) by pattern, the others of (c) by learner.
std::vector<Kind> released_kinds() {
  std::vector<Kind> kinds = {architecture("tagclip"),
                             architecture("tagclip", 0),
                             architecture("tagclip", 1),
                             architecture("zegclip"),
                             architecture("zegclip-released"),
                             learner("H_H_T", kH, kH, kT, true),
                             learner("T_H_H", kT, kH, kH),
                             learner("T_H_T", kT, kH, kT),
                             learner("T_T_H", kT, kT, kH),
                             learner("T_T_TH", kT, kT, kTH),
                             learner("cat_cat_cat", kCat, kCat, kCat),
                             learner("TH_H_H", kTH, kH, kH),
                             learner("TH_T_T", kTH, kT, kT),
                             learner("TH_T_TH", kTH, kT, kTH),
                             learner("TH_TH_H", kTH, kTH, kH),
                             learner("TH_TH_T", kTH, kTH, kT),
                             learner("TH_TH_TH", kTH, kTH, kTH),
                             learner("TH_TH_TH", kTH, kTH, kTH, true),
                             learner("That_T_That", kTHat, kT, kTHat)};
  for (const char* letters : {"n_n_n", "a_n_n", "n_a_n", "n_n_a", "a_a_a", "a", "n", "a_n"}) {
    for (const bool token : {true, false}) kinds.push_back(pattern(letters, token));
  }
  for (const int64_t depth : {1, 2, 3, 4}) {
    for (const int64_t prompts : {1, 5}) kinds.push_back(prompt_depth(depth, prompts));
  }
  Kind alone = learner("T_H_T_no_token", kT, kH, kT);
  alone.config.trusty_token = false;
  kinds.push_back(alone);
  return kinds;
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds = released_kinds();
  for (Kind kind : released_kinds()) {
    kind.name += "_paper";
    kind.config.protocol = Protocol::kPaper;
    kinds.push_back(kind);
  }
  for (Kind& kind : kinds) std::replace(kind.name.begin(), kind.name.end(), '-', '_');
  return kinds;
}

at::Tensor training_loss(const SegmentationModel& model) {
  const at::ScalarType type = model.parameters.all().front().tensor.scalar_type();
  const MaskLogits logits = model(small_pixels().to(type), small_text(5).to(type));
  const Targets targets{.labels = at::randint(5, {2, 16, 16}, seeded(4), at::kLong),
                        .seen_mask = at::ones({2, 16, 16}, at::kChar)};
  return segmentation_losses(logits, targets, at::scalar_tensor(5), model.config.protocol, {})
      .total();
}

// Some gradients of the start values are too faint for single precision to tell from zero.
void use_double(SegmentationModel& model) {
  for (const Parameter& parameter : model.parameters.all()) {
    at::Tensor(parameter.tensor).set_data(parameter.tensor.to(at::kDouble));
  }
}

// Attention to equal keys is uniform, and to equal values its weights do not matter: what makes
// them then has a gradient, but of zero (dropout on the weights aside).
bool gradient_is_zero(const std::string& parameter, const ModelConfig& config) {
  if (config.learner_key != kH && config.learner_value != kH) return false;
  const auto under = [&](const char* part) {
    return parameter.starts_with(std::string("decode_head.learner.") + part);
  };
  return under("attention.q.") || under("attention.k.") || under("key.");
}

class TrainedParameters : public ::testing::TestWithParam<Kind> {
 protected:
  SegmentationModel model = small_model(GetParam().config, /*text_tower=*/true);
};

TEST_P(TrainedParameters, ExactlyThoseReceiveAGradient) {
  // Were everything trainable, these are what the loss would reach ...
  model.parameters.set_trained([](const std::string&) { return true; });
  training_loss(model).backward();
  for (const Parameter& parameter : model.parameters.all()) {
    const bool reached = parameter.tensor.grad().defined();
    const bool frozen = parameter.name.starts_with("backbone.") &&
                        parameter.name.find("prompt_") == std::string::npos;
    // ... and the pretrained towers stay frozen.
    EXPECT_EQ(is_trained(parameter.name, model.config), reached && !frozen) << parameter.name;
    parameter.tensor.mutable_grad().reset();
  }
  model.set_trained();
  training_loss(model).backward();
  for (const Parameter& parameter : model.parameters.all()) {
    EXPECT_EQ(parameter.tensor.grad().defined(), is_trained(parameter.name, model.config))
        << parameter.name;
  }
  EXPECT_FALSE(model.parameters.trained().empty());
}

TEST_P(TrainedParameters, GradientsAreMoreThanZero) {
  use_double(model);
  model.set_trained();
  training_loss(model).backward();
  for (const Parameter& parameter : model.parameters.trained()) {
    // A softmax does not see a bias of its keys.
    if (parameter.name.ends_with("k.bias") || parameter.name.ends_with("key.bias")) continue;
    const double largest = parameter.tensor.grad().abs().max().item<double>();
    if (gradient_is_zero(parameter.name, model.config)) {
      EXPECT_LT(largest, 1e-16) << parameter.name;
    } else {
      EXPECT_GT(largest, 1e-12) << parameter.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, TrainedParameters, ::testing::ValuesIn(all_kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tagclip
