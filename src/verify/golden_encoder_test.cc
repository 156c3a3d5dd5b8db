// The image encoder without prompts on the weights of a plain CLIP.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "clip/clip_sizes.h"
#include "clip/test_golden.h"
#include "verify/golden_trace.h"

namespace tagclip {
namespace {

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

}  // namespace
}  // namespace tagclip
