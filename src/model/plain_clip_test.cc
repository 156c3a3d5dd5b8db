#include "model/plain_clip.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "clip/clip_file.h"
#include "clip/test_golden.h"

namespace tagclip {
namespace {

class PlainClipTest : public testing::Test {
 protected:
  PlainClipTest() : clip(load_clip(golden("open_clip_model.safetensors"))) {}

  const ResidualBlock& last() const { return clip.visual.transformer.resblocks.back(); }
  // The reference CLIP's own input and output of the last block, [1, 65, 64].
  at::Tensor before() const { return expected["clip.hidden.0"]; }
  at::Tensor after() const { return expected["clip.hidden.1"]; }

  at::NoGradGuard no_grad;
  const GoldenFile expected{"open_clip_expected.safetensors"};
  Clip clip;
};

// Attention is a mean of the values it weighs, and its output projection is linear: weighing what
// the value path makes of each patch by the plain attention must give the reference's plain output.
TEST_F(PlainClipTest, ValuePathAgainstTheReference) {
  const at::Tensor x = last().ln_1(before());
  const auto [queries, keys, values] = last().attn.split(x);
  ASSERT_EQ(queries.size(1), 1) << "one head, so that one matrix weighs all";
  const at::Tensor weights =
      (queries.matmul(keys.transpose(2, 3)) / std::sqrt(64.0)).softmax(-1).squeeze(1);
  const at::Tensor path = dense_attention(last().attn, x, DenseAttention::kValue);
  expect_near("hidden.1", last().add_mlp(before() + weights.matmul(path)), after(), kValue);
}

TEST_F(PlainClipTest, CorrelativeAttentionByHand) {
  const at::Tensor x = last().ln_1(before());
  const auto [queries, keys, values] = last().attn.split(x);
  const auto alike = [](const at::Tensor& of) {
    return (of.matmul(of.transpose(2, 3)) / std::sqrt(64.0)).softmax(-1);
  };
  const at::Tensor mixed = (alike(queries) + alike(keys)).matmul(values).squeeze(1);
  expect_near("attention", dense_attention(last().attn, x, DenseAttention::kCorrelative),
              last().attn.out_proj(mixed), kValue);
}

TEST_F(PlainClipTest, PatchesComeFromTheLastBlocksValues) {
  const at::Tensor image = expected["in.image_a"];
  const Encoding encoding = (*plain_clip(clip, DenseAttention::kValue).encoder)(image);
  EXPECT_EQ(encoding.height, 8);
  EXPECT_EQ(encoding.patches.sizes(), (std::vector<int64_t>{1, 64, 32}));
  const at::Tensor path =
      dense_attention(last().attn, last().ln_1(before()), DenseAttention::kValue);
  const at::Tensor tokens =
      clip.visual.ln_post(last().add_mlp(before() + path)).matmul(clip.visual.proj);
  expect_near("patches", encoding.patches, l2_normalize(tokens).narrow(1, 1, 64), kValue);
}

TEST_F(PlainClipTest, LogitsAreCosinesAtClipsTemperature) {
  const DenseModel model = plain_clip(clip, DenseAttention::kCorrelative);
  const at::Tensor text = l2_normalize(expected["text.embedding"]);
  const Encoding encoding = (*model.encoder)(expected["in.image_b"]);
  const MaskLogits logits = (*model.decoder)(encoding, text, {});
  EXPECT_EQ(logits.classes.sizes(), (std::vector<int64_t>{1, 6, 12, 12}));
  EXPECT_FALSE(logits.trusty.defined());
  const double scale = std::exp(clip.logit_scale.item<double>());
  const double cosine = encoding.patches[0][17].dot(text[2]).item<double>();
  EXPECT_NEAR(logits.classes[0][2][1][5].item<double>(), scale * cosine, 1e-4);
}

TEST_F(PlainClipTest, FingerprintsTellEncodersApart) {
  const auto fingerprint = [&](DenseAttention attention) {
    return plain_clip(clip, attention).encoder->info.fingerprint->digits();
  };
  const std::string before = fingerprint(DenseAttention::kValue);
  EXPECT_EQ(before.size(), 32U);
  EXPECT_EQ(fingerprint(DenseAttention::kValue), before);
  EXPECT_NE(fingerprint(DenseAttention::kCorrelative), before);
  at::Tensor(clip.text.text_projection).view(-1)[3] += 1;  // plays no part
  EXPECT_EQ(fingerprint(DenseAttention::kValue), before);
  at::Tensor(clip.visual.proj).view(-1)[3] += 1e-3;
  EXPECT_NE(fingerprint(DenseAttention::kValue), before);
}

}  // namespace
}  // namespace tagclip
