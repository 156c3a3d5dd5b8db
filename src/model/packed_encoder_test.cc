// Encoders packed for inference, against the same ones in LibTorch's operations.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "model/dense_clip.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

// Of unit vectors: 1 - cosine at most.
double tolerance(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
    case GemmPrecision::kBFloat16x3:
      return 1e-6;
    case GemmPrecision::kBFloat16:
      return 1e-3;
    case GemmPrecision::kInt8:
      return 1e-2;
  }
  return 0;
}

Clip small_clip() {
  Clip clip(small_config().clip);
  at::Generator generator = seeded();
  clip.parameters.initialise(generator);
  return clip;
}

double farthest(const at::Tensor& a, const at::Tensor& b) {
  return 1 - (a * b).sum(-1).min().item<double>();
}

void expect_alike(const DenseModel& model, const at::Tensor& pixels, const std::string& what) {
  const c10::InferenceMode no_gradients;
  const Encoding expected = model.encode(pixels);
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    const Encoding found = model.packed(precision)->encode(pixels);
    EXPECT_EQ(found.height, expected.height);
    EXPECT_EQ(found.patches.sizes(), expected.patches.sizes());
    EXPECT_LT(farthest(found.patches, expected.patches), tolerance(precision))
        << what << " " << name_of(precision);
    EXPECT_LT(farthest(found.image, expected.image), tolerance(precision))
        << what << " " << name_of(precision);
  }
}

TEST(PackedEncoder, EncodesAsBefore) {
  for (const auto& [height, width] : {std::pair{16, 16}, {12, 28}, {4, 4}, {36, 21}}) {
    expect_alike(small_model(), small_pixels(2, height, width),
                 std::to_string(height) + "x" + std::to_string(width));
  }
}

TEST(PackedEncoder, EveryPromptDepth) {
  for (const Protocol protocol : {Protocol::kPaper, Protocol::kReleased}) {
    for (const int64_t depth : {1, 2, 3, 4}) {
      ModelConfig config = small_config();
      config.clip.vision_layers = 4;
      config.prompt_depth = depth;
      config.protocol = protocol;
      expect_alike(small_model(config), small_pixels(), "depth " + std::to_string(depth));
    }
  }
}

TEST(PackedEncoder, WithoutPromptsAndWithTheExactGelu) {
  ModelConfig config = small_config();
  config.prompts = 0;
  config.clip.activation = Activation::kGelu;
  expect_alike(small_model(config), small_pixels(), "gelu");
}

TEST(PackedEncoder, HeadsOfOddWidth) {
  ModelConfig config = small_config();
  config.clip.vision_width = 21;
  config.clip.vision_heads = 3;
  config.clip.vision_mlp = 35;
  config.clip.patch = 3;
  config.clip.resolution = 15;
  expect_alike(small_model(config), small_pixels(), "odd");
}

TEST(PackedEncoder, DenseClip) {
  for (const DenseAttention attention : {DenseAttention::kValue, DenseAttention::kCorrelative}) {
    expect_alike(DenseClip(small_clip(), attention), small_pixels(), "dense clip");
  }
}

TEST(PackedEncoder, KeepsItsMemoryFromPhotoToPhotoAndFromSizeToSize) {
  const c10::InferenceMode no_gradients;
  const auto model = small_model().packed(GemmPrecision::kFloat32);
  const at::Tensor small = small_pixels(1), large = small_pixels(2, 28, 24);
  const at::Tensor first = model->encode(small).patches, other = model->encode(large).patches;
  EXPECT_TRUE(model->encode(small).patches.equal(first));
  EXPECT_TRUE(model->encode(large).patches.equal(other));
}

TEST(PackedEncoder, ThreadsDoNotMeet) {
  const auto model = small_model().packed(GemmPrecision::kFloat32);
  const at::Tensor pixels = small_pixels();
  const auto encode = [&] {
    const c10::InferenceMode no_gradients;
    return model->encode(pixels).patches;
  };
  const at::Tensor expected = encode();
  std::vector<int> equal(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(equal.size());
    for (int& result : equal) {
      threads.emplace_back([&] {
        result = 1;
        for (int i = 0; i < 20; ++i) result &= encode().equal(expected) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(equal, std::vector<int>(4, 1));
}

TEST(PackedEncoder, ItsFingerprintIsThatOfTheWeights) {
  const auto expect_kept = [](const DenseModel& model) {
    const auto packed = model.packed(GemmPrecision::kFloat32);
    EXPECT_EQ(packed->encoder_fingerprint(), model.encoder_fingerprint());
  };
  expect_kept(small_model());
  expect_kept(DenseClip(small_clip(), DenseAttention::kValue));
}

TEST(PackedEncoder, WhatIsNotPackedIsStillThere) {
  const SegmentationModel model = small_model(small_config(), /*text_tower=*/true);
  const auto packed = model.packed(GemmPrecision::kFloat32);
  const at::Tensor tokens = at::ones({1, small_config().clip.context}, at::kLong);
  EXPECT_TRUE(packed->text_tower()->encode(tokens).equal(model.text_tower()->encode(tokens)));
  const c10::InferenceMode no_gradients;
  const Encoding encoding = model.encode(small_pixels());
  EXPECT_TRUE(packed->decode(encoding, small_text(3), {})
                  .classes.equal(model.decode(encoding, small_text(3), {}).classes));
}

TEST(PackedEncoder, EncodesInAndOutOfInferenceMode) {
  ModelConfig config = small_config();
  config.clip.vision_layers = 3;
  config.prompt_depth = 2;
  config.protocol = Protocol::kPaper;
  const auto packed = small_model(config).packed(GemmPrecision::kFloat32);
  const auto clip = DenseClip(small_clip(), DenseAttention::kValue).packed(GemmPrecision::kFloat32);
  for (const DenseModel* model : {packed.get(), clip.get()}) {
    at::Tensor inside;
    {
      const c10::InferenceMode no_gradients;
      inside = model->encode(small_pixels()).patches;
    }
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(model->encode(small_pixels()).patches.equal(inside));
  }
}

TEST(PackedEncoder, IsPackedOnce) {
  const auto model = small_model().clone();
  model->pack(GemmPrecision::kFloat32);
  EXPECT_THROW(model->pack(GemmPrecision::kFloat32), InternalError);
}

}  // namespace
}  // namespace tagclip
