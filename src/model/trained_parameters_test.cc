// Which parameters training changes: those that receive a gradient, no more and no fewer.
#include <gtest/gtest.h>

#include "clip/test_golden.h"
#include "model/losses.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

struct Kind {
  const char* name;
  const char* architecture;
  Protocol protocol;
  int64_t prompts;
};

class TrainedParameters : public ::testing::TestWithParam<Kind> {
 protected:
  ModelConfig config() const {
    ModelConfig config = small_config();
    apply_architecture(GetParam().architecture, config);
    config.protocol = GetParam().protocol;
    config.prompts = GetParam().prompts;
    return config;
  }
};

at::Tensor training_loss(const SegmentationModel& model) {
  const MaskLogits logits = model(small_pixels(), small_text(5));
  const Targets targets{.labels = at::randint(5, {2, 16, 16}, seeded(4), at::kLong),
                        .familiar = at::ones({2, 16, 16}, at::kChar)};
  return segmentation_losses(logits, targets, 5, model.config.protocol, {}).total();
}

TEST_P(TrainedParameters, ExactlyThoseReceiveAGradient) {
  SegmentationModel model = small_model(config(), /*text_tower=*/true);
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

INSTANTIATE_TEST_SUITE_P(
    , TrainedParameters,
    ::testing::Values(Kind{"tagclip", "tagclip", Protocol::kReleased, 3},
                      Kind{"tagclip_paper", "tagclip", Protocol::kPaper, 3},
                      Kind{"tagclip_without_prompts", "tagclip", Protocol::kReleased, 0},
                      Kind{"zegclip", "zegclip", Protocol::kReleased, 3},
                      Kind{"zegclip_released", "zegclip-released", Protocol::kReleased, 3}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tagclip
