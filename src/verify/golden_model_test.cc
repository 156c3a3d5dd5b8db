// These tests compute every value of the golden files of whole models.
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "clip/clip_file.h"
#include "clip/test_golden.h"
#include "model/checkpoint.h"
#include "support/test_errors.h"
#include "verify/golden_training.h"

namespace tagclip {
namespace {

struct Case {
  const char* name;
  const char* weights;
  const char* inputs;
  const char* expected;
  const char* architecture;
  // grad.* names every trained parameter
  bool all_gradients;
};

const Case kCases[] = {
    {"tagclip", "tagclip_tiny_weights.safetensors", "tagclip_tiny_expected.safetensors",
     "tagclip_tiny_expected.safetensors", "", true},
    {"zegclip", "zegclip_tiny_weights.safetensors", "zegclip_tiny_expected.safetensors",
     "zegclip_tiny_expected.safetensors", "zegclip", true},
    {"zegclip_released", "zegclip_tiny_weights.safetensors", "zegclip_tiny_expected.safetensors",
     "zegclip_release_expected.safetensors", "zegclip-released", false},
};

class GoldenModel : public ::testing::TestWithParam<Case> {
 protected:
  SegmentationModel model() const {
    return load_model(golden(GetParam().weights), GetParam().architecture).model;
  }
  const GoldenFile inputs_file{GetParam().inputs};
  const GoldenFile expected{GetParam().expected};
  const GoldenInputs inputs = read_golden_inputs(inputs_file.tensors, model().config);
};

TEST_P(GoldenModel, ForwardValues) {
  const NamedTensors values = trace_forward(model(), inputs);
  int compared = 0;
  for (const auto& [name, value] : values) {
    if (!expected.tensors.contains(name)) continue;
    expect_near(name, value, expected[name], kValue);
    ++compared;
  }
  EXPECT_EQ(compared, GetParam().all_gradients ? 10 : 1);
}

TEST_P(GoldenModel, LossesAndGradients) {
  SegmentationModel trained = model();
  const NamedTensors values = trace_training(trained, inputs);
  std::set<std::string> gradients;
  for (const auto& [name, value] : expected.tensors.tensors) {
    if (name.starts_with("train.") && !name.starts_with("train.loss_history")) {
      expect_near(name, values.at(name), value, 0, kLoss);
    } else if (name.starts_with("grad.")) {
      const std::string ours = "grad." + canonical_name(name.substr(5));
      ASSERT_TRUE(values.contains(ours)) << ours;
      expect_gradient(name, values.at(ours), value);
      gradients.insert(ours);
    }
  }
  EXPECT_GE(gradients.size(), 8u);
  for (const auto& [name, value] : values) {
    if (GetParam().all_gradients && name.starts_with("grad.")) {
      EXPECT_TRUE(gradients.contains(name)) << name << " is trained here, but not there";
    }
  }
}

// Returns the sigmoid of upsampled logits; inductive models take 0.1 off the seen classes. Seen
// classes are weighted by 1 - w and unseen ones by w (Eq. 12), w the sigmoid of the trusty row.
at::Tensor scores(const MaskLogits& logits, const std::vector<int64_t>& seen, bool inductive,
                  const std::string& mode) {
  const auto upsampled = [](const at::Tensor& x) {
    return at::upsample_bilinear2d(x, {64, 64}, false).sigmoid();
  };
  const at::Tensor is_seen =
      at::zeros({1, logits.classes.size(1), 1, 1}).index_fill_(1, at::tensor(seen), 1);
  at::Tensor plain = upsampled(logits.classes) - (inductive ? 0.1 : 0) * is_seen;
  if (mode == "plain" || mode == "logits") return plain;
  const at::Tensor w = upsampled(logits.trusty);
  const at::Tensor of_seen = mode == "unseen" ? at::ones_like(w) : 1 - w;
  const at::Tensor of_unseen = mode == "seen" ? at::ones_like(w) : w;
  return plain * (is_seen * of_seen + (1 - is_seen) * of_unseen);
}

TEST_P(GoldenModel, Scores) {
  at::NoGradGuard no_grad;
  const MaskLogits logits = model()(inputs.image, inputs.text);
  int compared = 0;
  for (const auto& [name, value] : expected.tensors.tensors) {
    const size_t dot = name.rfind('.');
    if (!name.starts_with("infer.") || dot == 5) continue;
    at::Tensor found =
        scores(logits, inputs.seen, name.starts_with("infer.inductive"), name.substr(dot + 1));
    if (name.ends_with(".logits")) found = found.slice(2, 0, {}, 4).slice(3, 0, {}, 4);
    expect_near(name, found, value, kValue);
    ++compared;
  }
  EXPECT_EQ(compared, model().config.trusty_token ? 5 : 2);
}

TEST(GoldenEncoder, EveryValueOfBothImages) {
  const GoldenFile weights("open_clip_model.safetensors"),
      expected("open_clip_expected.safetensors");
  const ClipConfig config = infer_clip_config(weights.tensors, expected.file.metadata());
  const NamedTensors values = trace_image_encoder(weights.tensors, config, expected.tensors);
  int compared = 0;
  for (const auto& [name, value] : expected.tensors.tensors) {
    if (!name.starts_with("tagclip")) continue;
    ASSERT_TRUE(values.contains(name)) << name;
    expect_near(name, values.at(name), value, kValue);
    ++compared;
  }
  EXPECT_EQ(compared, 8);
}

TEST(GoldenEncoder, ResizingAtLoadTimeIsResizingAtRunTime) {
  at::NoGradGuard no_grad;
  const GoldenFile weights("open_clip_model.safetensors"),
      expected("open_clip_expected.safetensors");
  ClipConfig config = infer_clip_config(weights.tensors, expected.file.metadata());
  StateDict resized = weights.tensors;
  resized.tensors["visual.positional_embedding"] =
      expected["tagclip.positional_embedding_resized_to_b"];
  config.resolution = 96;
  const NamedTensors values = trace_image_encoder(resized, config, expected.tensors);
  expect_near("tagclip_b", values.at("tagclip_b.patch_embedding"),
              expected["tagclip_b.patch_embedding"], kValue);
}

class GoldenTraining : public GoldenModel {};

TEST_P(GoldenTraining, SixStepsOfAdamW) {
  const std::string name = "train.loss_history_adamw_lr2e-4_wd0.01";
  SegmentationModel trained = model();
  trained.set_trained();
  const NamedTensors histories = trace_histories(trained, inputs, expected.tensors);
  expect_near(name, histories.at(name), expected[name], 0, kLoss);
}

TEST(GoldenInputs, SayWhatDoesNotFit) {
  const GoldenFile file("tagclip_tiny_expected.safetensors");
  const ModelConfig config = load_model(golden("tagclip_tiny_weights.safetensors")).model.config;
  const auto refusal = [&](const std::string& name, const at::Tensor& tensor) {
    StateDict changed = file.tensors;
    changed.tensors[name] = tensor;
    return bad_input_text([&] { read_golden_inputs(changed, config); });
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(refusal("in.image", at::zeros({2, 3, 7, 64})),
              HasSubstr("at least one patch of 8 pixels"));
  EXPECT_THAT(refusal("in.image", at::zeros({2, 3, 64})), HasSubstr("4 dimensions"));
  EXPECT_THAT(refusal("in.text", at::zeros({9, 31})), HasSubstr("[classes, 32]"));
  EXPECT_THAT(refusal("in.seen_idx", at::tensor({0, 9})), HasSubstr("in.seen_idx"));
  EXPECT_THAT(refusal("in.label", at::full({2, 1, 64, 64}, 9)), HasSubstr("from 0 to 8 or 255"));
  EXPECT_THAT(refusal("in.label_seen", at::full({2, 1, 64, 64}, 6)),
              HasSubstr("from 0 to 5 or 255"));
  EXPECT_THAT(refusal("in.label_seen", at::zeros({2, 1, 32, 32})),
              HasSubstr("the shape of in.label"));
  EXPECT_THAT(refusal("in.label", at::zeros({1, 1, 64, 64})), HasSubstr("[2, 1, h, w]"));
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(, GoldenModel, ::testing::ValuesIn(kCases), name_of);
// The file of ZegCLIP's own code has no training history.
INSTANTIATE_TEST_SUITE_P(, GoldenTraining, ::testing::Values(kCases[0], kCases[1]), name_of);

}  // namespace
}  // namespace tagclip
