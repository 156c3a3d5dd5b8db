// These tests compute every value of the golden files of CLIP's towers.
#include "verify/golden_clip.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clip/clip_file.h"
#include "clip/test_golden.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Clip golden_clip() {
  const GoldenFile weights("open_clip_model.safetensors"),
      expected("open_clip_expected.safetensors");
  Clip clip(infer_clip_config(weights.tensors, expected.file.metadata()));
  load(clip.parameters, weights.tensors);
  return clip;
}

TEST(GoldenTextTower, Embeddings) {
  const GoldenFile file("clip_tiny_text.safetensors");
  const NamedTensors values = trace_text_tower(file.tensors, file.file.metadata(), file.tensors);
  ASSERT_EQ(values.size(), 2u);
  for (const auto& [name, value] : values) expect_near(name, value, file[name], kValue);
}

TEST(GoldenTextTower, RowsOfTheEmbeddingMayComeInAnyOrder) {
  const GoldenFile file("clip_tiny_text.safetensors");
  StateDict shuffled = file.tensors;
  for (const char* name : {"w.token_embedding.rows", "w.token_embedding.weight"}) {
    shuffled.tensors[name] = shuffled.at(name).flip(0);
  }
  const NamedTensors values = trace_text_tower(shuffled, file.file.metadata(), file.tensors);
  expect_near("out.embedding", values.at("out.embedding"), file["out.embedding"], kValue);
}

TEST(GoldenTextTower, SaysWhatDoesNotFit) {
  const GoldenFile file("clip_tiny_text.safetensors");
  const auto refusal = [&](const std::string& name, const at::Tensor& tensor) {
    StateDict changed = file.tensors;
    changed.tensors[name] = tensor;
    return bad_input_text([&] { trace_text_tower(changed, file.file.metadata(), changed); });
  };
  EXPECT_THAT(refusal("in.tokens", at::zeros({2, 78}, at::kLong)), HasSubstr("in.tokens"));
  EXPECT_THAT(refusal("in.tokens", at::full({2, 77}, 7, at::kLong)), HasSubstr("does not list"));
  EXPECT_THAT(refusal("w.token_embedding.rows", at::zeros({3}, at::kLong)),
              HasSubstr("one id for each row"));
  EXPECT_THAT(refusal("w.text_projection", at::zeros({15, 24})),
              AllOf(HasSubstr("text_projection"), HasSubstr("[15, 24]")));
  EXPECT_THAT(
      bad_input_text([&] { trace_text_tower(file.tensors, {{"heads", "3"}}, file.tensors); }),
      HasSubstr("text_heads"));
}

TEST(GoldenClip, AllValues) {
  const GoldenFile expected("open_clip_expected.safetensors");
  const NamedTensors values = trace_clip(golden_clip(), expected.tensors);
  int clip = 0, text = 0;
  for (const auto& [name, value] : expected.tensors.tensors) {
    if (!name.starts_with("clip.") && !name.starts_with("text.")) continue;
    ASSERT_TRUE(values.contains(name)) << name;
    expect_near(name, values.at(name), value, kValue);
    ++(name.starts_with("clip.") ? clip : text);
  }
  EXPECT_EQ(clip, 6);
  EXPECT_EQ(text, 2);
}

TEST(GoldenClip, HiddenIsWhatTheLastBlockMakes) {
  at::NoGradGuard no_grad;
  const GoldenFile expected("open_clip_expected.safetensors");
  expect_near("hidden", golden_clip().visual.hidden(expected["in.image_a"]),
              expected["clip.hidden.1"], kValue);
}

TEST(GoldenClip, PositionsResizedToAnotherGrid) {
  const GoldenFile expected("open_clip_expected.safetensors");
  const at::Tensor resized = resize_positions(golden_clip().visual.positional_embedding, 12, 12);
  expect_near("resized", resized, expected["tagclip.positional_embedding_resized_to_b"], 1e-6);
}

}  // namespace
}  // namespace tagclip
