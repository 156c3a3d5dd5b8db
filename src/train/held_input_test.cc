#include "train/held_input.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

StepInput input(int64_t photos, int64_t classes, float value) {
  return {.pixels = at::full({photos, 3, 8, 8}, value),
          .text = at::full({classes, 4}, value),
          .targets = {.labels = at::full({photos, 8, 8}, 1, at::kLong),
                      .seen_mask = at::ones({photos, 8, 8}, at::kChar)},
          .pseudo = {}};
}

TEST(HeldInput, StaysInItsMemory) {
  HeldInput held;
  EXPECT_FALSE(held.hold(input(2, 5, 1)));
  const void* pixels = held.get().pixels.data_ptr();
  EXPECT_TRUE(held.hold(input(2, 5, 7)));
  EXPECT_EQ(held.get().pixels.data_ptr(), pixels);
  EXPECT_TRUE(held.get().pixels.eq(7).all().item<bool>());
  EXPECT_TRUE(held.get().text.eq(7).all().item<bool>());
}

TEST(HeldInput, IsOtherMemoryForOtherShapes) {
  HeldInput held;
  held.hold(input(2, 5, 1));
  EXPECT_FALSE(held.hold(input(2, 6, 1)));
  EXPECT_FALSE(held.hold(input(3, 6, 1)));
  StepInput self_training = input(3, 6, 1);
  self_training.pseudo = at::tensor({4, 5}, at::kLong);
  EXPECT_FALSE(held.hold(self_training));
  EXPECT_TRUE(held.get().pseudo.equal(self_training.pseudo));
  EXPECT_FALSE(held.hold(input(3, 6, 1)));
  EXPECT_FALSE(held.get().pseudo.defined());
}

TEST(HeldInput, IsACopy) {
  HeldInput held;
  const StepInput given = input(1, 2, 1);
  held.hold(given);
  given.pixels.fill_(9);
  EXPECT_TRUE(held.get().pixels.eq(1).all().item<bool>());
}

}  // namespace
}  // namespace tagclip
