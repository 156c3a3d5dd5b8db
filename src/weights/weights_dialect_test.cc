#include "weights/weights_dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weights/safetensors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(WeightsKind, NamesTheModel) {
  EXPECT_EQ(describe_weights({"backbone.conv1.weight", "decode_head.disc_token"}),
            "a TagCLIP segmentation model");
  EXPECT_EQ(
      describe_weights({"backbone.conv1.weight", "decode_head.decoder_1.layers.0.norm1.bias"}),
      "a segmentation model of ZegCLIP's own code");
  EXPECT_THAT(
      describe_weights({"backbone.conv1.weight", "decode_head.decoder.layers.0.norm1.bias"}),
      HasSubstr("without a trusty token"));
  EXPECT_EQ(describe_weights({"ln_final.bias", "token_embedding.weight", "visual.conv1.weight"}),
            "a CLIP with OpenAI's names");
  EXPECT_EQ(describe_weights({"text_model.final_layer_norm.bias",
                              "vision_model.embeddings.patch_embedding.weight"}),
            "a CLIP in Hugging Face's layout");
  EXPECT_EQ(describe_weights({"conv1.weight", "ln_pre.weight"}),
            "the vision tower of a CLIP alone");
  EXPECT_EQ(describe_weights({}), "a file without tensors");
}

TEST(WeightsKind, QuotesTheNameOfAStranger) {
  EXPECT_THAT(describe_weights({"a\x1b[31mb", "c"}),
              AllOf(HasSubstr("another model"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace tagclip
