// Another model takes one function for its encoder and one for its decoder.
#include "model/dense_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "clip/test_golden.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

// Logits are how much nearer a patch is to the text than the image as a whole is.
class ContrastDecoder : public MaskDecoder {
 public:
  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const DecodeOptions& /*options*/) const override {
    const at::Tensor contrast = encoding.patches - encoding.image.unsqueeze(1);  // [B, N, d]
    return {
        .classes =
            text.matmul(contrast.transpose(1, 2)).unflatten(2, {encoding.height, encoding.width})};
  }
};

// Mean colours of the patches.
class ColourEncoder : public PatchEncoder {
 public:
  ColourEncoder() : PatchEncoder({.clip = {.embedding = 3, .resolution = 16, .patch = 4}}) {}

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions&) const override {
    const at::Tensor patches = at::avg_pool2d(pixels, info.clip.patch).flatten(2).transpose(1, 2);
    return encoding_of(at::cat({patches.mean(1, /*keepdim=*/true), patches}, 1), pixels,
                       info.clip.patch);
  }
};

TEST(DenseModel, TakesAnotherDecoder) {
  const c10::InferenceMode no_gradients;
  DenseModel model = dense_model(small_model());
  model.decoder = std::make_shared<ContrastDecoder>();
  const at::Tensor text = small_text(5);
  for (const DenseModel& form : {model, packed(model, GemmPrecision::kFloat32)}) {
    const Encoding encoding = (*form.encoder)(small_pixels(2, 12, 20));
    const MaskLogits logits = (*form.decoder)(encoding, text, {});
    ASSERT_EQ(logits.classes.sizes(), (std::vector<int64_t>{2, 5, 3, 5}));
    EXPECT_FALSE(logits.trusty.defined());
    const double expected =
        (encoding.patches[1][7] - encoding.image[1]).dot(text[4]).item<double>();
    EXPECT_NEAR(logits.classes[1][4][1][2].item<double>(), expected, 1e-6);
  }
}

TEST(DenseModel, TakesAnotherEncoder) {
  const c10::InferenceMode no_gradients;
  const DenseModel model{.encoder = std::make_shared<ColourEncoder>(),
                         .decoder = std::make_shared<ContrastDecoder>()};
  at::Tensor pixels = at::zeros({1, 3, 8, 8});
  pixels.select(1, 0).narrow(2, 0, 4).fill_(1);  // red on the left
  pixels.select(1, 2).narrow(2, 4, 4).fill_(1);  // blue on the right
  const MaskLogits logits = (*model.decoder)((*model.encoder)(pixels), at::eye(3), {});
  const at::Tensor best = logits.classes[0].argmax(0);
  EXPECT_TRUE(best.equal(at::tensor({0, 2, 0, 2}, at::kLong).view({2, 2})));
}

TEST(DenseModel, AnEncoderWithNothingToPackComputesInFloat32) {
  const DenseModel model{.encoder = std::make_shared<ColourEncoder>(),
                         .decoder = std::make_shared<ContrastDecoder>()};
  EXPECT_EQ(packed(model, GemmPrecision::kFloat32).encoder, model.encoder);
  EXPECT_THROW(packed(model, GemmPrecision::kBFloat16), Error);
}

}  // namespace
}  // namespace tagclip
