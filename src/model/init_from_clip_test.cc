#include "model/init_from_clip.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "clip/test_golden.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

TEST(StartFromClip, CopiesBothTowersAndResizesThePositions) {
  at::NoGradGuard no_grad;
  ModelConfig config = small_config();
  Clip clip(config.clip);
  at::Generator generator = seeded(11);
  clip.parameters.initialise(generator);
  config.clip.resolution = 24;  // from a grid of 4 x 4 to 6 x 6
  SegmentationModel model = small_model(config, /*text_tower=*/true);
  const at::Tensor head = model.parameters.find("decode_head.disc_token")->clone();
  initialise_from_clip(model, clip);

  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name == "logit_scale" || parameter.name == "visual.positional_embedding")
      continue;
    const std::string name = parameter.name.starts_with("visual.")
                                 ? "backbone." + parameter.name.substr(7)
                                 : "text_encoder." + parameter.name;
    EXPECT_TRUE(model.parameters.find(name)->equal(parameter.tensor)) << name;
  }
  EXPECT_TRUE(model.parameters.find("backbone.positional_embedding")
                  ->equal(resize_positions(clip.visual.positional_embedding, 6, 6)));
  EXPECT_TRUE(model.parameters.find("decode_head.disc_token")->equal(head));
}

TEST(StartFromClip, NeedsATextTower) {
  const Clip clip(small_config().clip);
  SegmentationModel model = small_model();
  EXPECT_THROW(initialise_from_clip(model, clip), InternalError);
}

}  // namespace
}  // namespace tagclip
