#include "bench/flops.h"

#include <gtest/gtest.h>

#include "bench/test_workload.h"

namespace tagclip::bench {
namespace {

// By hand: 16 patches of 8x8 and a class token, width 24, 3 prompts; 5 classes and the trusty
// token, width 16.
TEST(Flops, OfATinyModelAreThoseCountedByHand) {
  const Workload tiny = tiny_workload();
  const double patches = 16.0 * 192 * 24;
  const double tokens = 17.0 * 24 * (72 + 24 + 96 + 96);  // qkv, out_proj and the MLP of a block
  const double attention = 17.0 * 24 * 20;                // q k', and again for the values
  const double projection = 17.0 * 24 * 16;
  const double descriptor = 6.0 * 32 * 16;
  const double self_attention = 6.0 * 16 * (48 + 6 + 6 + 16);
  const double masks = 6.0 * 16 * 16 + 16.0 * 16 * 16 + 6.0 * 16 * 16;  // q, k, q k'
  const double rest =
      16.0 * 16 * 16 + 6.0 * 16 * 16 + 6.0 * 16 * (16 + 64 + 64);  // v, mix, proj, FFN
  const double decoder = descriptor + self_attention + 3 * masks + 2 * rest;
  const double forward = patches + 2 * (tokens + 2 * attention) + projection + decoder;
  EXPECT_DOUBLE_EQ(segment_flops(tiny.model, 5), 2 * forward);

  // Frozen products pass one gradient on, attention and what is trained two; the patches none, and
  // the first block's queries, keys and values of tokens none.
  const double first_block = tokens - 17.0 * 24 * 72 + 3 * attention;
  const double second_block = tokens + 4 * attention;
  const double backward = first_block + second_block + projection + 2 * decoder;
  const double prompts = 2 * 3.0 * 24 * (24 + 48), prompts_backward = 2 * 3.0 * 24 * (2 * 24 + 48);
  EXPECT_DOUBLE_EQ(train_step_flops(tiny.model, 5, 3),
                   3 * 2 * (forward + backward + prompts + prompts_backward));
}

TEST(Flops, OfTheFullSizeModelAreAsKnown) {
  const Workload voc = voc_workload();
  EXPECT_NEAR(segment_flops(voc.model, voc.classes) / 1e9, 219, 1);
  EXPECT_GT(segment_flops(coco_workload().model, 171), segment_flops(voc.model, 20));
}

}  // namespace
}  // namespace tagclip::bench
