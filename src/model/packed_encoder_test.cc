// These tests compare encoders packed for inference with the same ones in LibTorch's operations.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "model/dense_clip.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

// Returns the allowed 1 - cosine of two unit vectors.
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

DenseModel small_dense_model(const ModelConfig& config = small_config()) {
  return dense_model(small_model(config));
}

DenseModel in_float32(DenseModel model) {
  return packed(std::move(model), GemmPrecision::kFloat32);
}

double farthest(const at::Tensor& a, const at::Tensor& b) {
  return 1 - (a * b).sum(-1).min().item<double>();
}

// `looser` multiplies the tolerance of the smaller types.
void expect_alike(const DenseModel& model, const at::Tensor& pixels, const std::string& what,
                  double looser = 1) {
  const c10::InferenceMode no_gradients;
  const Encoding expected = (*model.encoder)(pixels);
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    const Encoding found = (*packed(model, precision).encoder)(pixels);
    const double limit = tolerance(precision) * (precision == GemmPrecision::kFloat32 ? 1 : looser);
    EXPECT_EQ(found.height, expected.height);
    EXPECT_EQ(found.patches.sizes(), expected.patches.sizes());
    EXPECT_LT(farthest(found.patches, expected.patches), limit)
        << what << " " << name_of(precision);
    EXPECT_LT(farthest(found.image, expected.image), limit) << what << " " << name_of(precision);
  }
}

TEST(PackedEncoder, EncodesAsBefore) {
  for (const auto& [height, width] : {std::pair{16, 16}, {12, 28}, {4, 4}, {36, 21}}) {
    expect_alike(small_dense_model(), small_pixels(2, height, width),
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
      expect_alike(small_dense_model(config), small_pixels(), "depth " + std::to_string(depth));
    }
  }
}

TEST(PackedEncoder, WithoutPromptsAndWithTheExactGelu) {
  ModelConfig config = small_config();
  config.prompts = 0;
  config.clip.activation = Activation::kGelu;
  expect_alike(small_dense_model(config), small_pixels(), "gelu");
}

TEST(PackedEncoder, HeadsOfOddWidth) {
  ModelConfig config = small_config();
  config.clip.vision_width = 21;
  config.clip.vision_heads = 3;
  config.clip.vision_mlp = 35;
  config.clip.patch = 3;
  config.clip.resolution = 15;
  expect_alike(small_dense_model(config), small_pixels(), "odd");
}

TEST(PackedEncoder, DenseClip) {
  for (const DenseMethod method :
       {DenseMethod::kMaskClip, DenseMethod::kSclip, DenseMethod::kClearClip, DenseMethod::kNaclip,
        DenseMethod::kScClip, DenseMethod::kPlain}) {
    // SC-CLIP drops similarities under a threshold, which rounding to a smaller type may cross.
    // With fewer than 31 patches two are often equally far outliers, and rounding decides between
    // them.
    const int64_t patch = small_config().clip.patch;
    expect_alike(dense_clip(small_clip(), method),
                 at::randn({2, 3, 8 * patch, 9 * patch}, seeded(4)),
                 "method " + std::to_string(static_cast<int>(method)),
                 method == DenseMethod::kScClip ? 10 : 1);
  }
}

TEST(PackedEncoder, KeepsItsMemoryFromPhotoToPhotoAndFromSizeToSize) {
  const c10::InferenceMode no_gradients;
  const auto encoder = in_float32(small_dense_model()).encoder;
  const at::Tensor small = small_pixels(1), large = small_pixels(2, 28, 24);
  const at::Tensor first = (*encoder)(small).patches, other = (*encoder)(large).patches;
  EXPECT_TRUE((*encoder)(small).patches.equal(first));
  EXPECT_TRUE((*encoder)(large).patches.equal(other));
}

TEST(PackedEncoder, ThreadsDoNotMeet) {
  const auto encoder = in_float32(small_dense_model()).encoder;
  const at::Tensor pixels = small_pixels();
  const auto encode = [&] {
    const c10::InferenceMode no_gradients;
    return (*encoder)(pixels).patches;
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
    const auto fingerprint = [](const DenseModel& of) {
      return of.encoder->info.fingerprint->digits();
    };
    EXPECT_EQ(fingerprint(in_float32(model)), fingerprint(model));
  };
  expect_kept(small_dense_model());
  expect_kept(dense_clip(small_clip(), DenseMethod::kMaskClip));
}

// Returns weak pointers to the matrices of a small model's blocks.
std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> matrices(const ParameterList& parameters,
                                                               const std::string& prefix) {
  std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> found;
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.name.starts_with(prefix + "transformer.resblocks.") &&
        parameter.tensor.dim() == 2)
      found.emplace_back(parameter.tensor.getIntrusivePtr());
  }
  return found;
}

TEST(PackedEncoder, LetsGoOfTheWeightsThatNobodyElseHolds) {
  std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> weights;
  const auto made = [&] {
    const SegmentationModel model = small_model();
    weights = matrices(model.parameters, "backbone.");
    return dense_model(model);
  };
  const DenseModel model = packed(made(), GemmPrecision::kFloat32);
  ASSERT_EQ(weights.size(), 8U);
  for (const auto& weight : weights) EXPECT_TRUE(weight.expired());
  EXPECT_EQ(model.encoder->info.fingerprint->digits(),
            small_dense_model().encoder->info.fingerprint->digits());
}

TEST(PackedEncoder, LeavesTheModelItWasMadeFrom) {
  const c10::InferenceMode no_gradients;
  const DenseModel model = small_dense_model();
  const Encoding expected = (*model.encoder)(small_pixels());
  const DenseModel other = in_float32(model);
  EXPECT_EQ(other.decoder, model.decoder);
  EXPECT_TRUE((*model.encoder)(small_pixels()).patches.equal(expected.patches));
}

TEST(PackedEncoder, EncodesInAndOutOfInferenceMode) {
  ModelConfig config = small_config();
  config.clip.vision_layers = 3;
  config.prompt_depth = 2;
  config.protocol = Protocol::kPaper;
  for (const DenseModel& model : {in_float32(small_dense_model(config)),
                                  in_float32(dense_clip(small_clip(), DenseMethod::kMaskClip))}) {
    at::Tensor inside;
    {
      const c10::InferenceMode no_gradients;
      inside = (*model.encoder)(small_pixels()).patches;
    }
    const at::NoGradGuard no_grad;
    EXPECT_TRUE((*model.encoder)(small_pixels()).patches.equal(inside));
  }
}

TEST(PackedEncoder, IsPackedOnce) {
  const DenseModel model = in_float32(small_dense_model());
  EXPECT_EQ(in_float32(model).encoder, model.encoder);
  EXPECT_THROW(packed(model, GemmPrecision::kInt8), Error);
}

}  // namespace
}  // namespace tagclip
