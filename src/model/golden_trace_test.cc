// Every value of the golden files of whole models.
#include "model/golden_trace.h"

#include <gtest/gtest.h>

#include <set>

#include "model/checkpoint.h"
#include "model/test_golden.h"
#include "train/optimizer.h"

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

TEST_P(GoldenModel, SixStepsOfAdamW) {
  const std::string name = "train.loss_history_adamw_lr2e-4_wd0.01";
  if (!expected.tensors.contains(name)) GTEST_SKIP() << "this file has no training history";
  SegmentationModel trained = model();
  trained.set_trained();
  AdamW optimizer(trained.parameters.trained(), {.lr = 2e-4, .weight_decay = 0.01});
  std::vector<float> history;
  for (int step = 0; step < expected[name].numel(); ++step) {
    const at::Tensor loss = golden_step(trained, inputs).losses.total();
    history.push_back(loss.item<float>());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(2e-4);
  }
  expect_near(name, at::tensor(history), expected[name], 0, kLoss);
}

INSTANTIATE_TEST_SUITE_P(, GoldenModel, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tagclip
