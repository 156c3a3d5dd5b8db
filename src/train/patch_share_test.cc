#include "train/patch_share.h"

#include <gtest/gtest.h>

#include <set>

namespace tagclip {
namespace {

at::Generator seeded(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

// Token t of photo b reads 100 b + t.
at::Tensor numbered() {
  const at::Tensor tokens = at::arange(2).unsqueeze(1) * 100 + at::arange(17);
  return tokens.unsqueeze(2).expand({2, 17, 3}).to(at::kFloat);
}

TEST(PatchShare, KeepsTheClassTokenAndDifferentPatchesOfThePhoto) {
  const at::Tensor kept = keep_share(numbered(), 0.5, seeded(1));
  ASSERT_EQ(kept.sizes(), (at::IntArrayRef{2, 9, 3}));
  for (int64_t b = 0; b < 2; ++b) {
    EXPECT_EQ(kept[b][0][0].item<float>(), 100 * b);
    std::set<float> patches;
    for (int64_t t = 1; t < 9; ++t) patches.insert(kept[b][t][2].item<float>());
    EXPECT_EQ(patches.size(), 8u);
    EXPECT_GE(*patches.begin(), 100 * b + 1);
    EXPECT_LE(*patches.rbegin(), 100 * b + 16);
  }
}

TEST(PatchShare, DependsOnTheGeneratorAlone) {
  EXPECT_TRUE(keep_share(numbered(), 0.5, seeded(1)).equal(keep_share(numbered(), 0.5, seeded(1))));
  EXPECT_FALSE(
      keep_share(numbered(), 0.5, seeded(1)).equal(keep_share(numbered(), 0.5, seeded(2))));
}

TEST(PatchShare, AllOfThemOrOne) {
  EXPECT_TRUE(keep_share(numbered(), 1, seeded(1)).equal(numbered()));
  EXPECT_EQ(keep_share(numbered(), 0.01, seeded(1)).size(1), 2);
}

}  // namespace
}  // namespace tagclip
