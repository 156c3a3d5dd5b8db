#include "infer/refine.h"

#include <gtest/gtest.h>

#include "kernels/blend/reference.h"
#include "kernels/refine/pamr.h"

namespace tagclip {
namespace {

Image random_photo(int width, int height) {
  Image photo{width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  const at::Tensor values = at::randint(0, 256, {static_cast<int64_t>(photo.pixels.size())},
                                        at::TensorOptions(at::kByte));
  std::copy_n(values.const_data_ptr<uint8_t>(), photo.pixels.size(), photo.pixels.begin());
  return photo;
}

at::Tensor whole(const Image& photo) {
  return at::from_blob(const_cast<uint8_t*>(photo.pixels.data()), {photo.height, photo.width, 3},
                       at::kByte)
      .permute({2, 0, 1});
}

TEST(RefineMaps, TilesEqualTheWholePhoto) {
  at::manual_seed(1);
  const Image photo = random_photo(1400, 1100);  // of 2 x 2 tiles
  const at::Tensor maps = at::randn({1, 9, 11});
  const at::Tensor large =
      at::upsample_bilinear2d(maps.unsqueeze(0), {photo.height, photo.width}, false)[0];
  const at::Tensor expected = Pamr(whole(photo), {})(large[0]);
  at::Tensor found = at::full({photo.height, photo.width}, NAN);
  refine_maps(std::span(&maps, 1), photo, Refine::kPamr, [&](const RefinedTile& tile) {
    const CropBox& box = tile.box;
    const auto part = [&](const at::Tensor& map) {
      return map.narrow(0, box.y, box.height).narrow(1, box.x, box.width);
    };
    EXPECT_LT((tile.plain[0] - part(large[0])).abs().max().item<double>(), 1e-5);
    part(found).copy_(tile.refined[0]);
  });
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-5);
}

struct Case {
  std::vector<BlendView> views;
  ScoreRule rule;
  Image photo;
};

Case random_case(ScoreActivation activation, int64_t classes) {
  at::manual_seed(2);
  Case made;
  made.views.push_back({{.classes = 3 * at::randn({2, classes, 4, 4})},
                        {.resized = {24, 36}, .window = {24, 24}, .corners = {{0, 0}, {0, 12}}}});
  made.rule.activation = activation;
  made.rule.seen_bias.assign(classes, 0);
  made.rule.weight.assign(classes, TrustyWeight::kNone);
  made.photo = random_photo(72, 48);
  return made;
}

// All rows win somewhere here, so that refining the winners is refining all.
TEST(RefineLabels, ScoresAreThoseOfTheRefinedMaps) {
  using enum ScoreActivation;
  for (const auto& [activation, views] : {std::pair{kSigmoid, 1}, {kSoftmax, 1}, {kSoftmax, 2}}) {
    Case given = random_case(activation, 4);
    if (views == 2) {
      given.views.push_back({{.classes = 3 * at::randn({1, 4, 5, 7})},
                             {.resized = {30, 45}, .window = {30, 45}, .corners = {{0, 0}}}});
    }
    const Extent size{given.photo.height, given.photo.width};
    BestClass best = blend(given.views, given.rule, size);
    ASSERT_EQ(winning_rows(best).size(), 4U);
    const Pamr pamr(whole(given.photo), {});
    std::vector<at::Tensor> maps;
    for (int64_t c = 0; c < 4; ++c) {
      maps.push_back(pamr(blend_map(given.views, given.rule, size, c)));
    }
    at::Tensor expected = at::stack(maps);
    if (activation == ScoreActivation::kSoftmax) expected = expected.softmax(0);
    refine(given.views, given.rule, given.photo, Refine::kPamr, {}, best);
    const auto [scores, labels] = expected.max(0);
    for (int64_t i = 0; i < scores.numel(); ++i) {
      EXPECT_NEAR(best.scores[i], scores.view(-1)[i].item<float>(), 1e-4);
    }
    int64_t different = 0;
    for (int64_t i = 0; i < labels.numel(); ++i) {
      different += best.labels[i] != labels.view(-1)[i].item<int64_t>();
    }
    EXPECT_LE(different, 2) << "but where two are equal to the last digits";
  }
}

TEST(RefineLabels, ClassesThatWinNowhereKeepTheirPartOfTheSum) {
  Case given = random_case(ScoreActivation::kSoftmax, 5);
  given.views[0].logits.classes.select(1, 2).sub_(2).clamp_max_(-1);
  given.views[0].logits.classes.select(1, 0).clamp_min_(0);
  given.views[0].logits.classes.select(1, 1).clamp_min_(0);
  const Extent size{given.photo.height, given.photo.width};
  BestClass best = blend(given.views, given.rule, size);
  const std::vector<int64_t> rows = winning_rows(best);
  ASSERT_EQ(std::ranges::count(rows, 2), 0);
  refine(given.views, given.rule, given.photo, Refine::kPamr, {}, best);
  EXPECT_EQ(std::ranges::count(best.labels, 2), 0);
  for (const float score : best.scores) {
    EXPECT_GT(score, 0);
    EXPECT_LE(score, 1);
  }
}

TEST(RefineLabels, OneWinnerStaysAsItIs) {
  Case given = random_case(ScoreActivation::kSoftmax, 2);
  given.views[0].logits.classes.select(1, 0).fill_(9);
  const Extent size{given.photo.height, given.photo.width};
  BestClass best = blend(given.views, given.rule, size);
  const std::vector<float> before = best.scores;
  refine(given.views, given.rule, given.photo, Refine::kGuided, {}, best);
  EXPECT_EQ(best.scores, before);
}

}  // namespace
}  // namespace tagclip
