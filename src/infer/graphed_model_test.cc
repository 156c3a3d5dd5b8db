#include "infer/graphed_model.h"

#include <gtest/gtest.h>

#include <random>

#include "gpu/test_gpu.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"
#include "infer/test_model.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

Image noise(int width, int height) {
  std::mt19937 random(width * height);
  Image image{width, height, {}};
  for (size_t i = 0; i < image.size() * 3; ++i)
    image.pixels.push_back(static_cast<uint8_t>(random()));
  return image;
}

// Returns photos of several sizes, of one window and of many.
std::vector<Image> photos() {
  std::vector<Image> result;
  for (const auto& [width, height] : {std::pair(64, 64), std::pair(200, 64), std::pair(64, 150),
                                      std::pair(90, 70), std::pair(131, 97)}) {
    result.push_back(noise(width, height));
  }
  return result;
}

void expect_close(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.defined(), expected.defined());
  if (!expected.defined()) return;
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LE((found.cpu() - expected.cpu()).abs().max().item<double>(), 1e-5);
}

class GraphedModelTest : public testing::Test {
 protected:
  InferenceModel load(at::Device device) const {
    return load_for_inference(save_test_model(folder_ / "model.safetensors"), {}, device);
  }

  TestDir folder_;
};

TEST_F(GraphedModelTest, SaysWhatTheModelSays) {
  const InferenceModel loaded = load(at::kCPU);
  const DenseModel twin = graphed(loaded.model);
  const at::Tensor text = l2_normalize(at::randn({3, 32}));
  for (const int64_t windows : {1, 3, 4, 5, 3, 3}) {
    const at::Tensor pixels = at::randn({windows, 3, 64, 64});
    const Encoding expected = (*loaded.model.encoder)(pixels), found = (*twin.encoder)(pixels);
    expect_close(found.patches, expected.patches);
    expect_close(found.image, expected.image);
    EXPECT_EQ(found.height, expected.height);
    EXPECT_EQ(found.width, expected.width);
    const MaskLogits expected_logits = (*loaded.model.decoder)(expected, text, {});
    const MaskLogits logits = (*twin.decoder)(found, text, {});
    expect_close(logits.classes, expected_logits.classes);
    expect_close(logits.trusty, expected_logits.trusty);
    expect_close(logits.presence, expected_logits.presence);
  }
}

TEST_F(GraphedModelTest, PhotosEncodedTogetherAreAsOneByOne) {
  const InferenceModel loaded = load(at::kCPU);
  const PhotoEncoder encoder(loaded.model, {.window = 64, .stride = 40, .short_side = 64});
  StageTimes unused;
  const std::vector<Image> images = photos();
  const std::vector<EncodedPhoto> together = encoder(images, unused);
  ASSERT_EQ(together.size(), images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    const EncodedPhoto alone = encoder(images[i], unused);
    EXPECT_EQ(together[i].views[0].windows, alone.views[0].windows);
    expect_close(together[i].views[0].encoding.patches, alone.views[0].encoding.patches);
    expect_close(together[i].views[0].encoding.image, alone.views[0].encoding.image);
  }
}

class GpuSegment : public GpuTest {
 protected:
  TestDir folder_;
};

// There are more photos than it takes to capture the graphs; where the best two classes are close,
// rounding decides.
TEST_F(GpuSegment, AgreesWithTheCpu) {
  const auto weights = save_test_model(folder_ / "model.safetensors");
  const InferenceModel on_cpu = load_test_model(weights);
  const InferenceModel on_gpu = load_for_inference(weights, {.device = Device::kCuda});
  for (const InferenceOptions& options :
       {InferenceOptions{.stride = 40},
        InferenceOptions{.stride = 40, .scales = {1, 1.5}, .flip = true}}) {
    const SlidingSegmenter expected(on_cpu.model, embed_vocabulary(on_cpu), options);
    const SlidingSegmenter found(on_gpu.model, embed_vocabulary(on_gpu), options);
    for (int turn = 0; turn < 4; ++turn) {
      for (const Image& photo : photos()) {
        const SegmentedPhoto a = expected(photo), b = found(photo);
        size_t different = 0;
        for (size_t i = 0; i < a.scores.size(); ++i) {
          EXPECT_NEAR(a.scores[i], b.scores[i], 1e-3);
          different += a.labels.labels[i] != b.labels.labels[i];
        }
        EXPECT_LE(different, a.scores.size() / 100);
      }
    }
  }
}

}  // namespace
}  // namespace tagclip
