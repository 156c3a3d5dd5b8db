#include "weights/clip_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <fstream>

#include "support/test_dir.h"
#include "support/test_errors.h"
#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Lists a CLIP's tensors without data: one block per tower, of these widths.
StoredWeights clip(int64_t vision_width, int64_t text_width) {
  StoredWeights stored{.source = "clip.bin"};
  for (const std::string& name : clip_tensor_names(1, 1, /*hugging_face=*/false)) {
    const int64_t width = name.starts_with("visual.") ? vision_width : text_width;
    std::vector<int64_t> shape = {width};
    if (name == "logit_scale") shape = {1};
    if (name.ends_with("in_proj_weight")) shape = {3 * width, width};
    if (name.ends_with("in_proj_bias")) shape = {3 * width};
    if (name.ends_with("out_proj.weight")) shape = {width, width};
    if (name.ends_with("c_fc.bias")) shape = {4 * width};
    if (name.ends_with("c_proj.weight")) shape = {width, 4 * width};
    stored.tensors.push_back({.name = name, .shape = shape});
  }
  const auto shape = [&](std::string_view name, std::vector<int64_t> sizes) {
    std::ranges::find(stored.tensors, name, &TensorView::name)->shape = std::move(sizes);
  };
  shape("visual.conv1.weight", {vision_width, 3, 8, 8});
  shape("visual.positional_embedding", {17, vision_width});
  shape("visual.proj", {vision_width, 32});
  shape("visual.transformer.resblocks.0.mlp.c_fc.weight", {4 * vision_width, vision_width});
  shape("token_embedding.weight", {600, text_width});
  shape("positional_embedding", {77, text_width});
  shape("text_projection", {text_width, 32});
  shape("transformer.resblocks.0.mlp.c_fc.weight", {4 * text_width, text_width});
  return stored;
}

std::string refusal(const StoredWeights& stored) {
  return bad_input_text([&] { read_clip_settings(stored); });
}

TEST(ClipSettings, PublishedHeadsAreAssumedAndSaid) {
  const struct {
    int64_t vision, text, vision_heads, text_heads;
    bool quick_gelu;
  } cases[] = {{768, 512, 12, 8, true},     {1024, 768, 16, 12, true},
               {1280, 1024, 16, 16, false}, {1408, 1024, 16, 16, false},
               {1664, 1280, 16, 20, false}, {1792, 1280, 16, 20, false}};
  for (const auto& [vision, text, vision_heads, text_heads, quick_gelu] : cases) {
    const ClipSettings settings = read_clip_settings(clip(vision, text));
    EXPECT_EQ(settings.vision_heads, vision_heads) << vision;
    EXPECT_EQ(settings.text_heads, text_heads) << vision;
    EXPECT_EQ(settings.quick_gelu, quick_gelu) << vision;
    EXPECT_TRUE(settings.heads_are_assumed && settings.activation_is_assumed);
    EXPECT_THAT(settings.assumption,
                AllOf(HasSubstr("heads of " + std::to_string(vision / vision_heads)),
                      HasSubstr("open_clip_config.json"),
                      HasSubstr(quick_gelu ? "QuickGELU" : "and GELU")));
  }
}

TEST(ClipSettings, HeadsOfOtherWidthsAreAskedFor) {
  EXPECT_THAT(refusal(clip(768, 500)),
              AllOf(HasSubstr("clip.bin: the number of attention heads is not known"),
                    HasSubstr("`heads`"), HasSubstr("open_clip_config.json")));
  const ClipSettings settings =
      read_clip_settings(clip(768, 500), {.vision_heads = 6, .text_heads = 5, .quick_gelu = false});
  EXPECT_EQ(settings.vision_heads, 6);
  EXPECT_EQ(settings.text_heads, 5);
  EXPECT_FALSE(settings.quick_gelu);
  EXPECT_EQ(settings.assumption, "");
  EXPECT_THAT(read_clip_settings(clip(768, 500), {.vision_heads = 6, .text_heads = 5}).assumption,
              AllOf(HasSubstr("QuickGELU"), testing::Not(HasSubstr("heads"))));
}

TEST(ClipSettings, TheConfigBesideIsFound) {
  const TestDir dir;
  std::ofstream(dir / "open_clip_config.json")
      << R"({"vision_cfg": {"width": 768, "head_width": 96}, "text_cfg": {"heads": 4}})";
  StoredWeights stored = clip(768, 512);
  stored.folders = {dir / "none", dir / "."};
  const ClipSettings settings = read_clip_settings(stored);
  EXPECT_EQ(settings.vision_heads, 8);
  EXPECT_EQ(settings.text_heads, 4);
  EXPECT_FALSE(settings.quick_gelu);
  EXPECT_EQ(settings.assumption, "");
}

TEST(ClipSettings, TensorsThatAreMissingUnexpectedOrNoNumbers) {
  StoredWeights stored = clip(768, 512);
  stored.tensors.erase(std::ranges::find(stored.tensors, "ln_final.bias", &TensorView::name));
  EXPECT_THAT(refusal(stored), AllOf(HasSubstr("1 missing"), HasSubstr("ln_final.bias")));
  stored = clip(768, 512);
  stored.tensors.push_back({.name = "visual.zz", .shape = {1}});
  EXPECT_THAT(refusal(stored), AllOf(HasSubstr("1 unexpected"), HasSubstr("visual.zz")));
  for (const DType dtype : {DType::kI8, DType::kBool, DType::kF8E4M3}) {
    stored = clip(768, 512);
    stored.tensors[3].dtype = dtype;
    EXPECT_THAT(refusal(stored), AllOf(HasSubstr(stored.tensors[3].name),
                                       HasSubstr("type " + std::string(to_string(dtype)))));
  }
}

TEST(ClipSettings, TensorsOfAnotherShape) {
  const auto with = [](const char* name, std::vector<int64_t> shape) {
    StoredWeights stored = clip(768, 512);
    std::ranges::find(stored.tensors, name, &TensorView::name)->shape = std::move(shape);
    return stored;
  };
  EXPECT_THAT(refusal(with("logit_scale", {2})),
              HasSubstr("logit_scale: [2] in the file, [] expected"));
  EXPECT_THAT(refusal(with("transformer.resblocks.0.attn.in_proj_weight", {512, 512})),
              HasSubstr("[512, 512] in the file, [1536, 512] expected"));
  EXPECT_THAT(refusal(with("text_projection", {512, 31})), HasSubstr("[512, 32] expected"));
  EXPECT_NO_THROW(read_clip_settings(with("logit_scale", {1, 1})));
}

TEST(ClipSettings, HeadsOfAConfigMustDivideTheWidth) {
  const TestDir dir;
  std::ofstream(dir / "open_clip_config.json")
      << R"({"vision_cfg": {"width": 768}, "text_cfg": {"width": 512, "heads": 7}})";
  StoredWeights stored = clip(768, 512);
  stored.folders = {dir / "."};
  EXPECT_THAT(refusal(stored), HasSubstr("7 heads in the text tower, whose width of 512"));
}

TEST(ClipSettings, NumbersThatAreNoneAreFoundWithTheirPlace) {
  std::array<uint16_t, 6> numbers{};
  const TensorView view{.name = "w",
                        .dtype = DType::kF16,
                        .shape = {2, 3},
                        .data = std::as_bytes(std::span(numbers))};
  StoredWeights stored{.source = "x.bin", .tensors = {view}};
  EXPECT_NO_THROW(check_numbers(stored));
  for (const auto& [bits, name] :
       {std::pair{0x7E00, "NaN"}, {0x7C00, "infinity"}, {0xFC00, "-infinity"}}) {
    numbers[5] = static_cast<uint16_t>(bits);
    EXPECT_THAT(bad_input_text([&] { check_numbers(stored); }),
                HasSubstr(std::string("x.bin: \"w\" holds ") + name + " at [1, 2]"));
  }
}

}  // namespace
}  // namespace tagclip
