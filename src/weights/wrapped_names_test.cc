#include "weights/wrapped_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Names = std::vector<std::string>;

constexpr std::byte kData[64] = {};

// Tensors of these names, each with memory of its own.
std::vector<TensorView> tensors(Names names) {
  std::ranges::sort(names);
  std::vector<TensorView> views;
  for (std::string& name : names) {
    views.push_back({.name = std::move(name), .data = std::span(kData).subspan(views.size(), 1)});
  }
  return views;
}

Names names_of(const std::vector<TensorView>& views) {
  Names names;
  for (const TensorView& view : views) names.push_back(view.name);
  return names;
}

const Names kClip = {"token_embedding.weight", "visual.conv1.weight"};
const Names kHuggingFace = {"text_model.final_layer_norm.bias",
                            "vision_model.embeddings.patch_embedding.weight"};
const Names kModel = {"backbone.conv1.weight", "decode_head.disc_token"};

Names behind(const std::string& prefix, const Names& names) {
  Names result;
  for (const std::string& name : names) result.push_back(prefix + name);
  return result;
}

Names joined(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(WrappedNames, AnyPrefixOfAWholeModelIsTakenOff) {
  for (const std::string prefix :
       {"", "module.", "_orig_mod.", "module._orig_mod.", "clip_model.", "state_dict.model.",
        "net.", "params.", "ema.", "a.name.nobody.thought.of.", "0."}) {
    for (const Names& names : {kClip, kHuggingFace, kModel}) {
      std::vector<TensorView> views = tensors(behind(prefix, names));
      const WrappedNames wrapping = unwrap_names(views);
      EXPECT_EQ(names_of(views), names) << prefix;
      EXPECT_EQ(wrapping.prefix, prefix);
      EXPECT_TRUE(wrapping.left_out.empty() && wrapping.choice.empty());
      EXPECT_EQ(describe_prefix(wrapping).empty(), prefix.empty());
    }
  }
}

TEST(WrappedNames, WhatLiesBesideIsLeftOut) {
  std::vector<TensorView> views =
      tensors(joined(behind("state_dict.model.", kClip),
                     {"optimizer.state.0.exp_avg", "state_dict.loss.weight", "epoch"}));
  const WrappedNames wrapping = unwrap_names(views);
  EXPECT_EQ(names_of(views), kClip);
  EXPECT_THAT(wrapping.left_out, ElementsAre("epoch", "optimizer", "state_dict.loss"));
}

TEST(WrappedNames, WrappersWithinNames) {
  std::vector<TensorView> views = tensors({"model._fsdp_wrapped_module.token_embedding.weight",
                                           "model.visual._orig_mod.module.conv1.weight"});
  const WrappedNames wrapping = unwrap_names(views);
  EXPECT_EQ(names_of(views), kClip);
  EXPECT_THAT(describe_prefix(wrapping), AllOf(HasSubstr("\"model.\""), HasSubstr("_orig_mod."),
                                               HasSubstr("_fsdp_wrapped_module.")));
  // Both would get one name.
  views = tensors({"token_embedding.weight", "visual.conv1.weight", "visual.module.conv1.weight"});
  unwrap_names(views);
  EXPECT_EQ(views.size(), 3u);
}

TEST(WrappedNames, ATextTowerOneLevelDeeper) {
  std::vector<TensorView> views =
      tensors({"text.text_projection", "text.token_embedding.weight", "visual.conv1.weight"});
  EXPECT_THAT(describe_prefix(unwrap_names(views)), HasSubstr("\"text.\""));
  EXPECT_EQ(names_of(views),
            (Names{"text_projection", "token_embedding.weight", "visual.conv1.weight"}));
}

// The prefix that is read of a file with models behind these.
std::string chosen(const std::string& a, const std::string& b) {
  std::vector<TensorView> views = tensors(joined(behind(a, kClip), behind(b, kClip)));
  const WrappedNames wrapping = unwrap_names(views);
  if (!wrapping.several.empty()) {
    EXPECT_THAT(wrapping.several, testing::UnorderedElementsAre(a, b));
    EXPECT_EQ(views.size(), 4u);
    return "none";
  }
  EXPECT_EQ(names_of(views), kClip);
  EXPECT_THAT(wrapping.choice, AllOf(HasSubstr("2 models"), HasSubstr(wrapping.prefix)));
  return wrapping.prefix;
}

TEST(WrappedNames, OfSeveralModelsTheAveragedOneIsRead) {
  EXPECT_EQ(chosen("state_dict.", "state_dict_ema."), "state_dict_ema.");
  EXPECT_EQ(chosen("model.", "ema.module."), "ema.module.");
  EXPECT_EQ(chosen("params.", "params_ema."), "params_ema.");
  EXPECT_EQ(chosen("", "model_ema."), "model_ema.");
  EXPECT_EQ(chosen("state_dict.model.", "state_dict.ema_model."), "state_dict.ema_model.");
  // MMEngine's hook saves the averaged ones as state_dict.
  EXPECT_EQ(chosen("state_dict.", "ema_state_dict.module."), "state_dict.");
  EXPECT_EQ(chosen("model.", "teacher."), "model.");
  EXPECT_EQ(chosen("", "teacher."), "");
  EXPECT_EQ(chosen("student.", "teacher."), "none");
}

TEST(WrappedNames, OneModelUnderTwoNamesIsOne) {
  std::vector<TensorView> views = tensors(joined(behind("a.", kClip), behind("model.", kClip)));
  for (size_t i = 0; i < 2; ++i) views[i + 2].data = views[i].data;
  const WrappedNames wrapping = unwrap_names(views);
  EXPECT_EQ(wrapping.prefix, "a.");
  EXPECT_TRUE(wrapping.choice.empty());
}

TEST(WrappedNames, AveragesThatMmcvKeepsAsBuffers) {
  std::vector<TensorView> views =
      tensors(joined(behind("state_dict.", kClip), {"state_dict.ema_visual_conv1_weight"}));
  EXPECT_THAT(unwrap_names(views).left_out, ElementsAre("ema_*"));
  EXPECT_EQ(names_of(views), kClip);
}

TEST(WrappedNames, OfAnotherModelThePartWithItsWeightsStays) {
  std::vector<TensorView> views = tensors({"state_dict.module.head.weight", "optimizer.x"});
  EXPECT_EQ(unwrap_names(views).left_out, Names{"optimizer"});
  EXPECT_EQ(names_of(views), Names{"head.weight"});
}

}  // namespace
}  // namespace tagclip
