#include "model/losses.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "clip/test_golden.h"
#include "kernels/mask_loss/mask_loss.h"

namespace tagclip {
namespace {

using nlohmann::json;

const json& spec() {
  static const json parsed = json::parse(std::ifstream(golden("losses.json")));
  return parsed;
}

// Reads a case of losses.safetensors; its logits collect gradients.
struct LossCase {
  explicit LossCase(const std::string& name) : name(name), entry(spec().at("cases").at(name)) {
    targets.labels = at("label").to(at::kLong);
    num_masks = at::scalar_tensor(entry.at("num_masks").get<double>());
    const json& weights = entry.at("weights");
    config.mask_weight = weights.at("mask");
    config.dice_weight = weights.at("dice");
    if (!weights.at("disc").is_null()) config.trusty_weight = weights.at("disc");
    const at::Tensor unmasked = at("label_unmasked").to(at::kLong);
    const std::vector<int64_t> seen = spec().at("seen");
    targets.seen_mask =
        at::isin(unmasked, at::tensor(seen)).to(at::kChar).masked_fill(unmasked.eq(255), -1);
  }

  bool has(const std::string& tensor) const { return file.tensors.contains(name + "." + tensor); }
  const at::Tensor& at(const std::string& tensor) const { return file[name + "." + tensor]; }
  at::Tensor leaf(const std::string& tensor) const { return at(tensor).clone().requires_grad_(); }
  MaskLogits logits(const std::string& prefix = "") const {
    MaskLogits result{.classes = leaf(prefix + "pred_masks")};
    if (has(prefix + "pred_disc")) result.trusty = leaf(prefix + "pred_disc");
    return result;
  }
  Losses released(const MaskLogits& logits) const {
    return as_cased(segmentation_losses(logits, targets, num_masks, Protocol::kReleased, config),
                    logits);
  }
  Losses by_reference(const MaskLogits& logits) const {
    return as_cased(
        reference_segmentation_losses(logits, targets, num_masks, Protocol::kReleased, config),
        logits);
  }
  // Some cases have the released code's other overlap term in place of dice. The program lacks it:
  // it has no "1 -", so that minimising it drives masks away from their targets.
  Losses as_cased(Losses losses, const MaskLogits& logits) const {
    if (entry.at("loss_type") != "tversky") return losses;
    const MaskSums sums = mask_sums(logits.classes, targets.labels);
    const at::Tensor all = sums.intersection + 0.3 * (sums.prediction - sums.intersection) +
                           0.7 * (sums.target - sums.intersection);
    const at::Tensor absent = sums.target.eq(0);  // [B, C]
    const at::Tensor tversky =
        (sums.intersection / all.masked_fill(absent, 1)).masked_fill(absent, 0);
    losses.dice = config.dice_weight * tversky.sum() / num_masks.clamp_min(1);
    return losses;
  }
  void check(const Losses& losses, const std::string& suffix = "") const {
    near("loss_mask" + suffix, losses.mask);
    near("loss_dice" + suffix, losses.dice);
    ASSERT_EQ(losses.trusty.defined(), has("loss_disc" + suffix)) << name;
    if (losses.trusty.defined()) near("loss_disc" + suffix, losses.trusty);
  }
  void near(const std::string& tensor, const at::Tensor& found) const {
    expect_near(name + "." + tensor, found.detach().view_as(at(tensor)), at(tensor), 1e-7, kLoss);
  }

  const GoldenFile file{"losses.safetensors"};
  const std::string name;
  const json entry;
  Targets targets;
  LossConfig config;
  at::Tensor num_masks;
};

class GoldenLosses : public ::testing::TestWithParam<std::string> {
 protected:
  const LossCase golden_{GetParam()};
};

TEST_P(GoldenLosses, ReleasedTermsAndGradients) {
  const MaskLogits logits = golden_.logits();
  const Losses losses = golden_.released(logits);
  golden_.check(losses);
  at::Tensor total = losses.total();

  const int64_t auxiliary = golden_.entry.at("aux_layers");
  std::vector<MaskLogits> others;
  for (int64_t i = 0; i < auxiliary; ++i) {
    others.push_back(golden_.logits("aux" + std::to_string(i) + "."));
    const Losses own = golden_.released(others.back());
    golden_.check(own, std::string("_").append(std::to_string(i)));
    total = total + own.total();
  }
  golden_.near("total", total);

  total.backward();
  const auto check_gradients = [&](const MaskLogits& of, const std::string& prefix) {
    const std::string masks = "grad." + prefix + "pred_masks",
                      trusty = "grad." + prefix + "pred_disc";
    expect_gradient(masks, of.classes.grad(), golden_.at(masks));
    if (of.trusty.defined()) expect_gradient(trusty, of.trusty.grad(), golden_.at(trusty));
  };
  check_gradients(logits, "");
  for (int64_t i = 0; i < auxiliary; ++i)
    check_gradients(others[i], "aux" + std::to_string(i) + ".");
}

TEST_P(GoldenLosses, OfTheReference) {
  const MaskLogits logits = golden_.logits();
  const Losses losses = golden_.by_reference(logits);
  golden_.check(losses);
  losses.total().backward();
  expect_gradient("pred_masks", logits.classes.grad(), golden_.at("grad.pred_masks"));
}

TEST_P(GoldenLosses, MasksAreCounted) {
  const at::Tensor masks = count_masks(golden_.targets.labels, golden_.entry.at("classes"));
  const auto counted = static_cast<int64_t>(masks.item<float>());
  EXPECT_EQ(std::max<int64_t>(1, counted), golden_.entry.at("num_masks"));
  int64_t objects = 0;
  for (const int64_t own : golden_.entry.at("objects_per_image")) objects += own;
  EXPECT_EQ(counted, objects);
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : spec().at("cases").items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(, GoldenLosses, ::testing::ValuesIn(case_names()),
                         [](const auto& info) { return info.param; });

class GoldenPaperTrusty : public GoldenLosses {};

TEST_P(GoldenPaperTrusty, TermAndGradient) {
  const MaskLogits logits = golden_.logits();
  LossConfig config = golden_.config;
  config.trusty_weight = 1;
  const Losses losses =
      segmentation_losses(logits, golden_.targets, golden_.num_masks, Protocol::kPaper, config);
  golden_.near("paper_trusty", losses.trusty);
  losses.trusty.backward();
  expect_gradient("grad_paper_trusty", logits.trusty.grad(),
                  golden_.at("grad_paper_trusty.pred_disc"));
}

std::vector<std::string> cases_with_trusty() {
  std::vector<std::string> names = case_names();
  std::erase(names, "zegclip");
  return names;
}

INSTANTIATE_TEST_SUITE_P(, GoldenPaperTrusty, ::testing::ValuesIn(cases_with_trusty()),
                         [](const auto& info) { return info.param; });

TEST(Losses, PresenceIsBinaryCrossEntropyOfTheClassesInThePhoto) {
  const LossCase golden("two_images");
  MaskLogits logits = golden.logits();
  logits.presence = at::zeros({2, 5});
  const Losses losses = segmentation_losses(logits, golden.targets, at::scalar_tensor(5),
                                            Protocol::kPaper, golden.config);
  EXPECT_NEAR(losses.presence.item<float>(), std::log(2), 1e-6);  // a coin's toss each
  EXPECT_NEAR(losses.total().item<float>(),
              (losses.mask + losses.dice + losses.trusty + losses.presence).item<float>(), 1e-5);
}

TEST(Losses, OfOtherPrecisionsGoThroughTheReference) {
  const LossCase golden("two_images");
  MaskLogits logits = golden.logits();
  const Losses single = golden.released(logits);
  logits.classes = logits.classes.to(at::kDouble);
  const Losses exact = golden.released(logits);
  EXPECT_EQ(exact.mask.scalar_type(), at::kDouble);
  expect_near("mask", exact.mask.to(at::kFloat), single.mask, 0, 1e-6);
}

TEST(Losses, NumMasksOfAllRanksDividesTheTerms) {
  const LossCase golden("two_images");
  const MaskLogits logits = golden.logits();
  const Losses one = golden.released(logits);
  const Losses two = segmentation_losses(logits, golden.targets, 2 * golden.num_masks,
                                         Protocol::kReleased, golden.config);
  expect_near("mask", two.mask * 2, one.mask, 0, 1e-6);
  expect_near("dice", two.dice * 2, one.dice, 0, 1e-6);
  expect_near("trusty", two.trusty * 2, one.trusty, 0, 1e-6);
}

class SelfTraining : public ::testing::Test {
 protected:
  at::Tensor map(const char* name) const { return file[name].to(at::kLong).squeeze(1); }
  at::Tensor relabelled(const at::Tensor& labels) const {
    return self_training_labels(file["in.logits"], labels, file["in.unseen_idx"]);
  }

  const GoldenFile file{"self_training.safetensors"};
  const at::Tensor unseen = at::isin(map("in.label"), file["in.unseen_idx"]);
};

TEST_F(SelfTraining, PseudoLabelsOfUnseenPixels) {
  const at::Tensor hidden = map("in.label").masked_fill(unseen, kHiddenClass);
  EXPECT_TRUE(hidden.equal(map("zegclip_released.masked")));
  EXPECT_TRUE(relabelled(hidden).equal(map("zegclip_released.relabelled")));
}

TEST_F(SelfTraining, PseudoLabelsWhereNothingIsKnown) {
  const at::Tensor labels = map("in.label");
  const at::Tensor hidden = labels.masked_fill(unseen.logical_or(labels.eq(255)), kHiddenClass);
  EXPECT_TRUE(relabelled(hidden).equal(map("intended_unseen_and_ignored.relabelled")));
}

TEST_F(SelfTraining, PseudoLabelsOfEveryPixel) {
  EXPECT_TRUE(relabelled(at::full_like(map("in.label"), kHiddenClass)).equal(map("pseudo_label")));
}

TEST_F(SelfTraining, TheReleasedCodeHidesNothingAndSoRelabelsNothing) {
  const at::Tensor hidden = map("in.label").masked_fill(unseen, 255);
  EXPECT_TRUE(relabelled(hidden).equal(map("tagclip_released.relabelled")));
}

TEST_F(SelfTraining, TheLowestClassWinsATie) {
  const at::Tensor labels = relabelled(at::full_like(map("in.label"), kHiddenClass));
  const at::Tensor scores =
      file["in.logits"].select(0, 0).select(1, 0).select(1, 1);  // pixel [0, 0, 0, 1]
  const at::Tensor of_unseen = scores.index_select(0, file["in.unseen_idx"]);
  ASSERT_EQ(of_unseen.eq(of_unseen.max()).sum().item<int64_t>(), 2);
  const int64_t first = of_unseen.eq(of_unseen.max()).to(at::kLong).argmax().item<int64_t>();
  EXPECT_EQ(labels[0][0][1].item<int64_t>(), file["in.unseen_idx"][first].item<int64_t>());
}

TEST(SelfTrainingLabels, AreOfLogitsUpsampledToTheLabels) {
  const at::Tensor logits = at::randn({2, 6, 4, 5}), labels = at::full({2, 40, 30}, kHiddenClass);
  const at::Tensor some = at::tensor({1, 4, 5}, at::kLong);
  const at::Tensor maps = at::upsample_bilinear2d(logits, {40, 30}, /*align_corners=*/false);
  EXPECT_TRUE(
      self_training_labels(logits, labels, some).equal(self_training_labels(maps, labels, some)));
}

}  // namespace
}  // namespace tagclip
