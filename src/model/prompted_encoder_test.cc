#include "model/prompted_encoder.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "clip/test_golden.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

// The encoders as paper and released code write them: prompt tokens join the sequence after the
// class token and are replaced before every block that has prompts of its own. The released code
// takes them out before the first block that has none, but has another branch for prompts at the
// input alone, which stay, and leaves prompt_norm out of it.
Encoding full_sequence(const SegmentationModel& model, const at::Tensor& pixels) {
  const auto find = [&](const char* name) {
    return *model.parameters.find(std::string("backbone.") + name);
  };
  const auto project = [&](const at::Tensor& prompts) {
    return at::linear(prompts, find("prompt_proj.weight"), find("prompt_proj.bias"))
        .expand({pixels.size(0), -1, -1});
  };
  const auto norm = [&](const at::Tensor& x, const std::string& name, double epsilon) {
    return at::layer_norm(x, {x.size(2)}, find((name + ".weight").c_str()),
                          find((name + ".bias").c_str()), epsilon);
  };
  const int64_t P = model.config.prompts;
  at::Tensor x = model.encoder.embed(pixels);
  x = at::cat(
      {x.narrow(1, 0, 1), project(find("prompt_embeddings")), x.narrow(1, 1, x.size(1) - 1)}, 1);
  const int64_t N = x.size(1) - 1 - P, depth = model.config.prompted_layers();
  const bool released = model.config.protocol == Protocol::kReleased, shallow = depth == 1;
  const auto& blocks = model.encoder.transformer().resblocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto layer = static_cast<int64_t>(i);
    const at::Tensor first = x.narrow(1, 0, 1), patches = x.narrow(1, x.size(1) - N, N);
    if (layer > 0 && layer < depth) {
      const at::Tensor deep = project(find("deep_prompt_embeddings").narrow(0, layer - 1, 1));
      x = at::cat({first, deep, patches}, 1);
    } else if (layer >= depth && released && !shallow) {
      x = at::cat({first, patches}, 1);
    }
    x = blocks[i](x, /*causal=*/false);
  }
  if (!(released && shallow)) x = norm(x, "prompt_norm", 1e-6);
  x = l2_normalize(norm(x, "ln_post", 1e-5).matmul(find("proj")));
  return {x.narrow(1, x.size(1) - N, N), x.select(1, 0)};
}

void expect_same(const Encoding& a, const Encoding& b, double tolerance = 1e-6) {
  expect_near("patches", a.patches, b.patches, tolerance);
  expect_near("image", a.image, b.image, tolerance);
}

TEST(PromptedEncoder, PromptsAsKeysAloneEqualTheWholeSequence) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = small_model();
  expect_same(model.encoder(small_pixels()), full_sequence(model, small_pixels()));
}

ModelConfig with_depth(int64_t depth, Protocol protocol = Protocol::kReleased) {
  ModelConfig config = small_config();
  config.clip.vision_layers = 4;
  config.prompt_depth = depth;
  config.protocol = protocol;
  return config;
}

// Norms start as identities: what is left out would not show.
SegmentationModel model_with_norms(const ModelConfig& config) {
  SegmentationModel model = small_model(config);
  at::Generator generator = seeded(9);
  for (const Parameter& parameter : model.parameters.all()) {
    if (parameter.name.find("norm") != std::string::npos)
      parameter.tensor.normal_(1, 0.5, generator);
  }
  return model;
}

TEST(PromptedEncoder, EveryPromptDepthEqualsTheWholeSequence) {
  at::NoGradGuard no_grad;
  for (const Protocol protocol : {Protocol::kPaper, Protocol::kReleased}) {
    at::Tensor previous;
    for (const int64_t depth : {1, 2, 3, 4}) {
      const SegmentationModel model = model_with_norms(with_depth(depth, protocol));
      const at::Tensor* deep = model.parameters.find("backbone.deep_prompt_embeddings");
      ASSERT_EQ(deep == nullptr, depth == 1);
      if (deep != nullptr) {
        EXPECT_EQ(deep->sizes(), (std::vector<int64_t>{depth - 1, 3, 24}));
      }
      const Encoding encoding = model.encoder(small_pixels());
      expect_same(encoding, full_sequence(model, small_pixels()), 2e-6);
      expect_same((*dense_model(model).encoder)(small_pixels()), encoding, 0);
      if (previous.defined()) {
        EXPECT_FALSE(previous.equal(encoding.image)) << depth;
      }
      previous = encoding.image;
    }
    // 0 is every layer.
    const SegmentationModel all = model_with_norms(with_depth(0, protocol));
    EXPECT_TRUE(all.encoder(small_pixels()).image.equal(previous));
  }
}

TEST(PromptedEncoder, ProtocolsDifferUnlessAllLayersHavePrompts) {
  at::NoGradGuard no_grad;
  for (const int64_t depth : {1, 2, 3, 4}) {
    const auto image = [&](Protocol protocol) {
      return model_with_norms(with_depth(depth, protocol)).encoder(small_pixels()).image;
    };
    const double distance =
        (image(Protocol::kPaper) - image(Protocol::kReleased)).abs().max().item<double>();
    EXPECT_EQ(distance > 1e-4, depth < 4) << depth << ": " << distance;
  }
}

TEST(PromptedEncoder, NonSquareAndOddGrids) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = small_model();
  for (const auto& [height, width] : {std::pair{12, 28}, {20, 4}, {4, 4}, {36, 20}}) {
    const at::Tensor pixels = small_pixels(1, height, width);
    const Encoding encoding = model.encoder(pixels);
    EXPECT_EQ(encoding.height, height / 4);
    EXPECT_EQ(encoding.width, width / 4);
    EXPECT_EQ(encoding.patches.sizes(), (std::vector<int64_t>{1, height * width / 16, 16}));
    expect_same(encoding, full_sequence(model, pixels));
    const MaskLogits logits = model.head(encoding, small_text(5));
    EXPECT_EQ(logits.classes.sizes(), (std::vector<int64_t>{1, 5, height / 4, width / 4}));
    EXPECT_EQ(logits.trusty.sizes(), (std::vector<int64_t>{1, 1, height / 4, width / 4}));
  }
}

TEST(PromptedEncoder, PixelsBeyondWholePatchesAreNotSeen) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = small_model();
  const at::Tensor pixels = small_pixels(1, 15, 18);
  expect_same(model.encoder(pixels), model.encoder(pixels.slice(2, 0, 12).slice(3, 0, 16)));
}

TEST(PromptedEncoder, AnImageSmallerThanAPatchIsAFault) {
  const SegmentationModel model = small_model();
  EXPECT_THROW(model.encoder(small_pixels(1, 3, 16)), InternalError);
}

TEST(PromptedEncoder, EmbeddingsHaveUnitLength) {
  at::NoGradGuard no_grad;
  const Encoding encoding = small_model().encoder(small_pixels());
  expect_near("patches", encoding.patches.norm(2, -1), at::ones({2, 16}), 1e-6);
  expect_near("image", encoding.image.norm(2, -1), at::ones({2}), 1e-6);
}

TEST(FrozenPromptedEncoder, ComputesItsPrefixOnce) {
  at::NoGradGuard no_grad;
  for (const int64_t depth : {0, 1}) {  // prompts as keys and values, and as tokens
    const SegmentationModel model = small_model(with_depth(depth));
    const Encoding expected = model.encoder(small_pixels());
    const auto frozen = dense_model(model).encoder;
    expect_same((*frozen)(small_pixels()), expected, 0);
    at::Tensor(*model.parameters.find("backbone.prompt_embeddings")).zero_();
    expect_same((*frozen)(small_pixels()), expected, 0);
    EXPECT_FALSE((*dense_model(model).encoder)(small_pixels()).patches.equal(expected.patches));
  }
}

TEST(PromptedEncoder, WithoutPromptsThereIsNoPromptNorm) {
  ModelConfig config = small_config();
  config.prompts = 0;
  const SegmentationModel model = small_model(config);
  for (const Parameter& parameter : model.parameters.all()) {
    EXPECT_EQ(parameter.name.find("prompt"), std::string::npos) << parameter.name;
  }
  expect_same((*dense_model(model).encoder)(small_pixels()), model.encoder(small_pixels()), 0);
}

TEST(PromptedEncoder, PhotosDoNotInfluenceOneAnother) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = small_model();
  const at::Tensor pixels = small_pixels();
  const Encoding both = model.encoder(pixels), second = model.encoder(pixels.narrow(0, 1, 1));
  expect_near("patches", both.patches.narrow(0, 1, 1), second.patches, 1e-6);
}

}  // namespace
}  // namespace tagclip
