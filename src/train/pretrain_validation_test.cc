#include "train/pretrain_validation.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "train/pretrain_log.h"
#include "train/test_pretraining.h"

namespace tagclip {
namespace {

constexpr auto kGoOn = [] { return false; };

class PretrainValidationTest : public ::testing::Test {
 protected:
  PretrainValidationTest() {
    config_.clip = test::smallest_clip(/*vision_layers=*/1);
    config_.image_size = 16;
    config_.precision = ComputePrecision::kBFloat16;  // of training, not of measuring
    at::Generator generator = at::detail::createCPUGenerator(1);
    clip_.emplace(config_.clip);
    clip_->parameters.initialise(generator);
  }

  // Whatever a photo shows, its embedding is that of `text`; all patches have it, too.
  void see(const std::string& text) {
    const at::NoGradGuard no_grad;
    const TokenizedText tokens = Tokenizer(600).tokenize(text, 32);
    const at::Tensor embedding =
        clip_->text.encode(at::tensor(tokens.ids, at::kLong).unsqueeze(0))[0];
    at::Tensor(clip_->visual.ln_post.weight).zero_();
    at::Tensor(clip_->visual.ln_post.bias).zero_().select(0, 0).fill_(1);
    at::Tensor(clip_->visual.proj).select(0, 0).copy_(embedding);
  }

  test::PretrainFiles files_;
  PretrainConfig config_;
  std::optional<Clip> clip_;
};

TEST_F(PretrainValidationTest, CountsPhotosWhoseNearestTextIsTheirs) {
  config_.validation.shards = {files_.shard("val.tar", {{"1", 10, "cat\na cat sits on the mat"},
                                                        {"2", 60, "cat\npet"},
                                                        {"3", 90, "dog"},
                                                        {"4", 99, "two dogs run over a lawn"},
                                                        {"5", 120, "pet"}})};
  see("a photo of a cat");
  const PretrainMetrics cats = *PretrainValidator(config_)(*clip_, kGoOn);
  EXPECT_DOUBLE_EQ(*cats.zero_shot, 2.0 / 4);
  EXPECT_TRUE(cats.sets.empty());
  see("two dogs run over a lawn");
  const PretrainMetrics dogs = *PretrainValidator(config_)(*clip_, kGoOn);
  EXPECT_DOUBLE_EQ(*dogs.image_to_text, 1.0 / 2);
  EXPECT_DOUBLE_EQ(*dogs.text_to_image, 1.0 / 2);  // both photos look alike: the first is nearest
}

TEST_F(PretrainValidationTest, ComparesPatchesWithTheWordsOfTheirSet) {
  files_.text("set/classes.txt", "grass\nsky\n");
  files_.text("set/val.txt", "1\n");
  files_.photo("set/images/1.png", 8, 8, 10);
  files_.labels("set/labels/1.png", 8, 8, {0, 0, 1, 1, 1, 1, 255, 255});
  config_.validation.data = {files_.path("set/")};
  see("a photo of a sky");
  const PretrainMetrics metrics = *PretrainValidator(config_)(*clip_, kGoOn);
  EXPECT_FALSE(metrics.zero_shot);
  ASSERT_EQ(metrics.sets.size(), 1u);
  EXPECT_NEAR(metrics.sets[0].metrics.pixel_accuracy, 4.0 / 6, 1e-9);
  EXPECT_NEAR(metrics.sets[0].metrics.mean_iou, (0 + 4.0 / 6) / 2, 1e-9);
  const auto values = named_values(metrics);
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].first, "set mIoU");
  EXPECT_FALSE(PretrainValidator(config_)(*clip_, [] { return true; }));
}

}  // namespace
}  // namespace tagclip
