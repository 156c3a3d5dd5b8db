#include "clip/clip_file.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/fields_json.h"
#include "clip/hugging_face.h"
#include "clip/test_golden.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "verify/golden_clip.h"
#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

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
    save(path, clip.parameters, StorageType::kFloat32, metadata);
    return bad_input_text([&] { load_clip(path); });
  }
  const TestDir dir;
  const std::filesystem::path path = dir / "clip.safetensors";
};

TEST_F(ClipFile, RoundTrip) {
  const Clip clip = small_clip();
  save_clip(path, clip, StorageType::kFloat32, {{"note", "x"}});
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
  save_clip(path, clip, StorageType::kFloat16);
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
  const auto folder = source_folder() / "tests/data/io/malformed";
  const SafetensorsFile file = SafetensorsFile::open(folder / "not_a_clip.safetensors");
  EXPECT_THAT(bad_input_text([&] { infer_clip_config(StateDict::from(file), {}); }),
              AllOf(HasSubstr("not_a_clip.safetensors"), HasSubstr("token_embedding.weight")));
}

const fs::path kSamples = source_folder() / "tests/data/checkpoints";

// The tiny CLIP that all samples hold.
void expect_the_sample(const ClipWeights& weights) {
  EXPECT_EQ(weights.config.activation, Activation::kQuickGelu);
  const GoldenFile expected("open_clip_expected.safetensors");
  const NamedTensors found = trace_clip(make_clip(weights), expected.tensors);
  for (const auto& [name, tensor] : found) expect_near(name, tensor, expected[name], kValue);
}

// A CLIP whose sizes nothing could guess.
Clip odd_clip() {
  Clip clip({.embedding = 10,
             .resolution = 21,
             .patch = 7,
             .vision_width = 24,
             .vision_layers = 3,
             .vision_heads = 4,
             .vision_mlp = 40,
             .context = 9,
             .vocabulary = 520,
             .text_width = 20,
             .text_layers = 2,
             .text_heads = 5,
             .text_mlp = 30,
             .activation = Activation::kGelu,
             .pixel_statistics = PixelStatistics::kClip});
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  clip.parameters.initialise(generator);
  return clip;
}

StateDict state_of(const Clip& clip) {
  StateDict state{"clip", {}};
  for (const Parameter& p : clip.parameters.all()) state.tensors.emplace(p.name, p.tensor);
  return state;
}

void expect_same(const ClipWeights& found, const Clip& clip) {
  const Clip made = make_clip(found);
  for (const Parameter& parameter : clip.parameters.all()) {
    EXPECT_TRUE(made.parameters.find(parameter.name)->equal(parameter.tensor)) << parameter.name;
  }
  ClipConfig expected = clip.config, config = found.config;
  EXPECT_EQ(to_json(config.fields()), to_json(expected.fields()));
}

class Dialects : public testing::Test {
 protected:
  void write(const char* name, const std::string& text) { std::ofstream(dir / name) << text; }
  void write_odd_hugging_face(const ClipConfig& config) {
    save(dir / "model.safetensors", to_hugging_face(state_of(odd_clip())).tensors, {});
    write("config.json", hugging_face_config(config));
  }
  std::string refusal() {
    return bad_input_text([&] { read_clip_weights(fs::path(dir / ".")); });
  }

  const TestDir dir;
};

TEST_F(Dialects, OpenAiTorchScript) {
  const ClipWeights weights = read_clip_weights(kSamples / "openai_torchscript.pt");
  EXPECT_EQ(weights.dialect, Dialect::kOpenAi);
  EXPECT_TRUE(weights.assumption.empty());
  EXPECT_EQ(weights.state.at("visual.proj").scalar_type(), at::kHalf) << "as it is stored";
  EXPECT_EQ(weights.state.at("ln_final.weight").scalar_type(), at::kFloat);
  expect_the_sample(weights);
}

TEST_F(Dialects, OpenClipCheckpointWithItsConfig) {
  fs::copy(kSamples / "open_clip_epoch_7.pt", dir / "any-name");
  write("open_clip_config.json", open_clip_config(read_clip_weights(dir / "any-name").config));
  const ClipWeights weights = read_clip_weights(dir / "any-name");
  EXPECT_EQ(weights.dialect, Dialect::kOpenClip);
  EXPECT_TRUE(weights.assumption.empty());
  expect_the_sample(weights);
}

TEST_F(Dialects, OpenClipWithoutConfigSaysWhatItAssumes) {
  fs::copy(golden("open_clip_model.safetensors"), dir / "model.safetensors");
  const ClipWeights weights = read_clip_weights(dir / "model.safetensors");
  EXPECT_THAT(weights.assumption,
              AllOf(HasSubstr("QuickGELU"), HasSubstr("open_clip_config.json")));
  expect_the_sample(weights);
}

TEST_F(Dialects, OpenClipOfOtherSizes) {
  const Clip clip = odd_clip();
  save(dir / "open_clip_model.safetensors", state_of(clip).tensors, {});
  write("open_clip_config.json", open_clip_config(clip.config));
  expect_same(read_clip_weights(fs::path(dir / ".")), clip);
}

TEST_F(Dialects, HuggingFaceOfOtherSizes) {
  write_odd_hugging_face(odd_clip().config);
  const ClipWeights weights = read_clip_weights(fs::path(dir / "."));
  EXPECT_EQ(weights.dialect, Dialect::kHuggingFace);
  expect_same(weights, odd_clip());
}

TEST_F(Dialects, HuggingFaceInShards) {
  const StateDict all = to_hugging_face(state_of(odd_clip()));
  std::map<std::string, at::Tensor> shards[2];
  std::string map;
  for (const auto& [name, tensor] : all.tensors) {
    const int shard = static_cast<int>(shards[0].size() > shards[1].size());
    shards[shard].emplace(name, tensor);
    map += (map.empty() ? "\"" : ", \"") + name + "\": \"part-" + std::to_string(shard) + "\"";
  }
  save(dir / "part-0", shards[0], {});
  save(dir / "part-1", shards[1], {});
  write("config.json", hugging_face_config(odd_clip().config));
  write("model.safetensors.index.json", "{\"weight_map\": {" + map + "}}");
  expect_same(read_clip_weights(fs::path(dir / ".")), odd_clip());
  expect_same(read_clip_weights(dir / "model.safetensors.index.json"), odd_clip());
}

TEST_F(Dialects, HuggingFaceAndBackIsLossless) {
  const StateDict ours = state_of(odd_clip());
  const StateDict back = from_hugging_face(to_hugging_face(ours));
  ASSERT_EQ(back.tensors.size(), ours.tensors.size());
  for (const auto& [name, tensor] : ours.tensors) EXPECT_TRUE(back.at(name).equal(tensor)) << name;
}

TEST_F(Dialects, HuggingFaceNeedsItsConfig) {
  write_odd_hugging_face(odd_clip().config);
  fs::remove(dir / "config.json");
  EXPECT_THAT(refusal(), HasSubstr("config.json"));
}

TEST_F(Dialects, AConfigOfAnotherModelIsRefused) {
  ClipConfig other = odd_clip().config;
  other.vision_layers = 4;
  write_odd_hugging_face(other);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("config.json"), HasSubstr("layers of the vision tower 4"),
                               HasSubstr("have 3")));
}

TEST_F(Dialects, TornProjectionsAreNamed) {
  StateDict state = to_hugging_face(state_of(odd_clip()));
  const std::string keys = "text_model.encoder.layers.1.self_attn.k_proj.weight";
  state.tensors.at(keys) = state.tensors.at(keys).narrow(0, 0, 5);
  EXPECT_THAT(bad_input_text([&] { from_hugging_face(state); }),
              AllOf(HasSubstr(keys), HasSubstr("another shape")));
  state.tensors.erase(keys);
  EXPECT_THAT(bad_input_text([&] { from_hugging_face(state); }), HasSubstr(keys));
}

TEST_F(Dialects, ANumberOfHeadsThatDoesNotDivideIsRefused) {
  ClipConfig config = odd_clip().config;
  config.vision_heads = 5;
  write_odd_hugging_face(config);
  EXPECT_THAT(refusal(), HasSubstr("heads in the vision tower"));
}

TEST_F(Dialects, ClipTensorNamesAreTheParameters) {
  const StateDict ours = state_of(odd_clip());
  const auto names = [](const StateDict& state) {
    std::vector<std::string> list;
    for (const auto& [name, tensor] : state.tensors) list.push_back(name);
    return list;
  };
  EXPECT_EQ(clip_tensor_names(3, 2, /*hugging_face=*/false), names(ours));
  EXPECT_EQ(clip_tensor_names(3, 2, /*hugging_face=*/true), names(to_hugging_face(ours)));
}

TEST_F(Dialects, ALinkFindsTheConfigBesideItsTargetAndBesideItself) {
  const TestDir elsewhere;
  write_odd_hugging_face(odd_clip().config);
  fs::create_symlink(dir / "model.safetensors", elsewhere / "link");
  expect_same(read_clip_weights(elsewhere / "link"), odd_clip());
  // As in the cache of Hugging Face: the weights lie elsewhere under another name.
  fs::rename(dir / "model.safetensors", elsewhere / "blob");
  fs::create_symlink(elsewhere / "blob", dir / "model.safetensors");
  expect_same(read_clip_weights(fs::path(dir / ".")), odd_clip());
}

TEST_F(Dialects, AScalarMayHaveOneElementInAnyShape) {
  StateDict state = state_of(odd_clip());
  write("open_clip_config.json", open_clip_config(odd_clip().config));
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1}, {1, 1}}) {
    state.tensors["logit_scale"] = odd_clip().logit_scale.view(shape);
    save(dir / "open_clip_model.safetensors", state.tensors, {});
    expect_same(read_clip_weights(fs::path(dir / ".")), odd_clip());
  }
}

TEST_F(Dialects, NumbersThatAreNoneAreRefused) {
  write("open_clip_config.json", open_clip_config(odd_clip().config));
  const auto with = [&](const std::string& name, const at::Tensor& tensor) {
    StateDict state = state_of(odd_clip());
    state.tensors[name] = tensor;
    save(dir / "open_clip_model.safetensors", state.tensors, {});
    return bad_input_text([&] { load_clip(fs::path(dir / ".")); });
  };
  at::Tensor matrix = odd_clip().visual.proj.to(at::kHalf);
  matrix[5][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(with("visual.proj", matrix), HasSubstr("\"visual.proj\" holds NaN at [5, 3]"));
  matrix[5][3] = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(with("visual.proj", matrix), HasSubstr("holds -infinity at [5, 3]"));
  EXPECT_THAT(with("visual.proj", odd_clip().visual.proj.to(at::kChar)),
              AllOf(HasSubstr("visual.proj"), HasSubstr("type I8")));
  // Hugging Face stores it transposed: the place is that of the tensor in memory here.
  StateDict theirs = to_hugging_face(state_of(odd_clip()));
  theirs.tensors["visual_projection.weight"][3][5] = std::numeric_limits<float>::quiet_NaN();
  save(dir / "model.safetensors", theirs.tensors, {});
  write("config.json", hugging_face_config(odd_clip().config));
  EXPECT_THAT(bad_input_text([&] { load_clip(dir / "model.safetensors"); }),
              HasSubstr("holds NaN at [5, 3]"));
}

TEST_F(Dialects, AFolderWithSeveralFilesGivesTheOneThatLoads) {
  save(dir / "model.safetensors",
       {{"patch_embed.proj.weight", at::zeros({1})}, {"blocks.0.norm1.weight", at::zeros({1})}},
       {});
  write("config.json", R"({"architecture": "vit_base_patch16_clip_224"})");
  save(dir / "open_clip_model.safetensors", state_of(odd_clip()).tensors, {});
  write("open_clip_config.json", open_clip_config(odd_clip().config));
  expect_same(read_clip_weights(fs::path(dir / ".")), odd_clip());
}

TEST_F(Dialects, AnAdapterIsNamed) {
  write("adapter_config.json", R"({"peft_type": "LORA", "base_model_name_or_path": "me/clip"})");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("an adapter (LORA)"), HasSubstr("merge it into me/clip")));
}

TEST_F(Dialects, AResNetIsRefused) {
  StateDict state = state_of(odd_clip());
  state.tensors["visual.layer1.0.conv1.weight"] = at::zeros({1});
  save(dir / "model.safetensors", state.tensors, {});
  EXPECT_THAT(refusal(), HasSubstr("ResNet"));
}

TEST_F(Dialects, OtherWeightsAreRefused) {
  EXPECT_THAT(bad_input_text([] { read_clip_weights(golden("tagclip_tiny_weights.safetensors")); }),
              AllOf(HasSubstr("not a CLIP"), HasSubstr("TagCLIP")));
}

}  // namespace
}  // namespace tagclip
