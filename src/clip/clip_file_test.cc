#include "clip/clip_file.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fields_json.h"
#include "clip/clip_sizes.h"
#include "clip/dialect.h"
#include "clip/test_golden.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ClipConfig small_config() {
  return {.embedding = 8,
          .resolution = 12,
          .patch = 4,
          .vision_width = 12,
          .vision_layers = 2,
          .vision_heads = 3,
          .context = 9,
          .vocabulary = 600,
          .text_width = 10,
          .text_layers = 1,
          .text_heads = 2,
          .activation = Activation::kGelu};
}

Clip small_clip() {
  Clip clip(small_config());
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  clip.parameters.initialise(generator);
  return clip;
}

class ClipFile : public ::testing::Test {
 protected:
  std::string refusal(const Metadata& metadata) {
    const Clip clip = small_clip();
    save(path, clip.parameters, StoragePrecision::kFloat32, metadata);
    return bad_input_text([&] { load_clip(path); });
  }
  const TestDir dir;
  const std::filesystem::path path = dir / "clip.safetensors";
};

TEST_F(ClipFile, RoundTrip) {
  const Clip clip = small_clip();
  save_clip(path, clip, StoragePrecision::kFloat32, {{"note", "x"}});
  const Clip loaded = load_clip(path);
  EXPECT_EQ(loaded.config.vision_heads, 3);
  EXPECT_EQ(loaded.config.activation, Activation::kGelu);
  for (const Parameter& parameter : clip.parameters.all()) {
    EXPECT_TRUE(loaded.parameters.find(parameter.name)->equal(parameter.tensor)) << parameter.name;
  }
  EXPECT_EQ(SafetensorsFile::open(path).metadata().at("note"), "x");
}

TEST_F(ClipFile, HalfPrecisionRounds) {
  const Clip clip = small_clip();
  save_clip(path, clip, StoragePrecision::kFloat16);
  const Clip loaded = load_clip(path);
  EXPECT_TRUE(loaded.visual.proj.equal(clip.visual.proj.to(at::kHalf).to(at::kFloat)));
}

TEST_F(ClipFile, MetadataThatDoesNotFitIsRefused) {
  EXPECT_THAT(refusal({{"tagclip.clip", "7"}}), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal({{"tagclip.clip", R"({"patch": 0})"}}),
              AllOf(HasSubstr(path.string()), HasSubstr("patch")));
  EXPECT_THAT(refusal({{"tagclip.clip", R"({"patch": "four"})"}}), HasSubstr("patch"));
  EXPECT_THAT(refusal({{"tagclip.clip", R"({"vision_heads": 7})"}}), HasSubstr("vision_heads"));
  EXPECT_THAT(refusal({{"tagclip.clip", R"({"text_width": 65536, "text_heads": 1})"}}),
              HasSubstr("of another shape"));
}

TEST(ClipSizes, AreReadOffTheTensors) {
  const Clip clip = small_clip();
  StateDict state{"clip.safetensors", {}};
  for (const Parameter& parameter : clip.parameters.all())
    state.tensors[parameter.name] = parameter.tensor;
  const ClipConfig found = infer_clip_config(state, {{"v_heads", "3"}, {"t_heads", "2"}});
  ClipConfig expected = small_config();
  expected.activation = Activation::kQuickGelu;  // leaves no trace
  EXPECT_EQ(to_json(found.fields()), to_json(expected.fields()));
  EXPECT_THAT(bad_input_text([&] { infer_clip_config(state, {{"v_heads", "many"}}); }),
              HasSubstr("v_heads"));
  state.tensors.erase("visual.proj");
  EXPECT_THAT(bad_input_text([&] { infer_clip_config(state, {}); }), HasSubstr("visual.proj"));
}

TEST(ClipSizes, OfAForeignDamagedClip) {
  const auto folder = std::filesystem::path(TAGCLIP_SOURCE_DIR) / "tests/data/io/malformed";
  const SafetensorsFile file = SafetensorsFile::open(folder / "not_a_clip.safetensors");
  EXPECT_THAT(bad_input_text([&] { infer_clip_config(StateDict::from(file), {}); }),
              AllOf(HasSubstr("not_a_clip.safetensors"), HasSubstr("token_embedding.weight")));
}

}  // namespace
}  // namespace tagclip
