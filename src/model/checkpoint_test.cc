#include "model/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "clip/test_golden.h"
#include "model/test_model.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "text/class_words.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const TrainedOn kTrainedOn{
    {"cat", "potted plant", "ñandú"}, {true, false, true}, {"a photo of a {}.", "{}"}, false};

std::map<std::string, at::Tensor> tensors_of(const SegmentationModel& model) {
  std::map<std::string, at::Tensor> tensors;
  for (const Parameter& parameter : model.parameters.all())
    tensors[parameter.name] = parameter.tensor;
  return tensors;
}

std::string load_error(const std::filesystem::path& path) {
  return bad_input_text([&] { load_model(path); });
}

class Checkpoint : public ::testing::Test {
 protected:
  const TestDir dir;
  const std::filesystem::path path = dir / "model.safetensors";
};

TEST_F(Checkpoint, RoundTripKeepsWeightsConfigAndMetadata) {
  ModelConfig config = small_config();
  config.protocol = Protocol::kPaper;
  const SegmentationModel model = small_model(config, /*text_tower=*/true);
  save_model(path, model, kTrainedOn, StorageType::kFloat32, {{"run", "7"}});
  const LoadedModel loaded = load_model(path);

  EXPECT_EQ(loaded.trained_on.classes, kTrainedOn.classes);
  EXPECT_EQ(loaded.trained_on.seen, kTrainedOn.seen);
  EXPECT_EQ(loaded.trained_on.templates, kTrainedOn.templates);
  EXPECT_FALSE(loaded.trained_on.inductive);
  EXPECT_EQ(loaded.metadata.at("run"), "7");
  EXPECT_EQ(loaded.model.config.protocol, Protocol::kPaper);
  EXPECT_EQ(loaded.model.config.clip.vision_heads, 2);
  EXPECT_TRUE(loaded.model.text_encoder.has_value());
  for (const auto& [name, tensor] : tensors_of(model)) {
    EXPECT_TRUE(loaded.model.parameters.find(name)->equal(tensor)) << name;
  }
}

TEST_F(Checkpoint, HalfPrecisionsRoundAndLoadAsFloat32) {
  const SegmentationModel model = small_model();
  for (const auto& [precision, type] :
       {std::pair{StorageType::kFloat16, at::kHalf}, {StorageType::kBFloat16, at::kBFloat16}}) {
    save_model(path, model, kTrainedOn, precision);
    const LoadedModel loaded = load_model(path);
    for (const auto& [name, tensor] : tensors_of(model)) {
      const at::Tensor& found = *loaded.model.parameters.find(name);
      EXPECT_EQ(found.scalar_type(), at::kFloat) << name;
      EXPECT_TRUE(found.equal(tensor.to(type).to(at::kFloat))) << name;
    }
  }
}

TEST_F(Checkpoint, WithoutMetadataTheTensorsTellTheArchitecture) {
  for (const char* architecture : {"tagclip", "zegclip"}) {
    ModelConfig config = small_config();
    apply_architecture(architecture, config);
    save(path, tensors_of(small_model(config, /*text_tower=*/true)),
         {{"vision_heads", "2"}, {"decoder_heads", "4"}});
    const LoadedModel loaded = load_model(path);
    EXPECT_EQ(loaded.model.config.self_attention, config.self_attention);
    EXPECT_EQ(loaded.model.config.trusty_token, config.trusty_token);
    EXPECT_EQ(loaded.model.config.prompts, 3);
    EXPECT_EQ(loaded.model.config.clip.resolution, 16);
    EXPECT_TRUE(loaded.trained_on.classes.empty());
  }
}

TEST_F(Checkpoint, WithoutMetadataTheTensorsTellThePromptDepth) {
  for (const int64_t depth : {1, 2, 4}) {
    ModelConfig config = small_config();
    config.clip.vision_layers = 4;
    config.prompt_depth = depth;
    save(path, tensors_of(small_model(config)), {{"vision_heads", "2"}, {"decoder_heads", "4"}});
    const ModelConfig found = load_model(path).model.config;
    EXPECT_EQ(found.prompted_layers(), depth);
    EXPECT_EQ(found.prompts, 3);
  }
}

TEST_F(Checkpoint, TheLearnersInputsAreInTheMetadataAlone) {
  ModelConfig config = small_config();
  config.self_attention = "n_n_n";
  config.learner_query = config.learner_key = LearnerInput::kProduct;
  config.learner_value = LearnerInput::kText;  // as wide: no shape tells them apart
  const SegmentationModel model = small_model(config);
  save_model(path, model, kTrainedOn, StorageType::kFloat32);
  const ModelConfig found = load_model(path).model.config;
  EXPECT_EQ(found.learner_query, LearnerInput::kProduct);
  EXPECT_EQ(found.learner_value, LearnerInput::kText);

  save(path, tensors_of(model), {{"vision_heads", "2"}, {"decoder_heads", "4"}});
  EXPECT_THAT(load_error(path), AllOf(HasSubstr(path.string()), HasSubstr("decode_head.learner."),
                                      HasSubstr("tagclip.model")));
  Metadata metadata = describe(config, {});
  const auto replace = [&](const std::string& from, const std::string& to) {
    std::string& json = metadata["tagclip.model"];
    json.replace(json.find(from), from.size(), to);
  };
  replace("\"learner_value\":\"text\"", "\"learner_value\":\"qms\"");
  save(path, tensors_of(model), metadata);
  EXPECT_THAT(load_error(path), AllOf(HasSubstr("learner_value"), HasSubstr("qms")));
}

TEST_F(Checkpoint, ZegClipsOwnNamesMeanZegClipsOwnDecoder) {
  const GoldenFile weights("zegclip_tiny_weights.safetensors");
  std::map<std::string, at::Tensor> renamed;
  for (const auto& [name, tensor] : weights.tensors.tensors) {
    std::string own = name;
    const auto replace = [&](const std::string& from, const std::string& to) {
      if (own.starts_with(from)) own = to + own.substr(from.size());
    };
    replace("decode_head.decoder.", "decode_head.decoder_1.");
    replace("decode_head.relationship_discriptor.q_proj.", "decode_head.q_proj.");
    renamed[own] = tensor;
  }
  save(path, renamed, {{"vision_heads", "2"}, {"decoder_heads", "4"}});
  EXPECT_EQ(load_model(path).model.config.self_attention, "n_n_n");

  renamed["decode_head.relationship_discriptor.q_proj.bias"] = renamed["decode_head.q_proj.bias"];
  save(path, renamed, {});
  EXPECT_THAT(load_error(path), HasSubstr("decode_head.relationship_discriptor.q_proj.bias"));
}

// Published checkpoints of COCO-Stuff name their prompt templates in the config they hold.
TEST_F(Checkpoint, PublishedModelsBringThePromptTemplatesOfTheirConfig) {
  const auto source = source_folder() / "tests/data/checkpoints/mmseg_iter_20000_legacy.pth";
  EXPECT_TRUE(load_model(source).trained_on.templates.empty());
  std::ifstream stream(source, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const std::string line = "optimizer = dict(type='AdamW', lr=2e-05, weight_decay=0.01)";
  std::string other = "load_text_embedding='data/coco_multi.npy'";
  other.resize(line.size(), ' ');
  bytes.replace(bytes.find(line), line.size(), other);
  std::ofstream(dir / "coco.pth", std::ios::binary) << bytes;
  EXPECT_EQ(load_model(dir / "coco.pth").trained_on.templates, parse_templates("multi"));
}

TEST_F(Checkpoint, ErrorsListEveryTensorThatDoesNotFit) {
  const SegmentationModel model = small_model();
  std::map<std::string, at::Tensor> tensors = tensors_of(model);
  tensors.erase("backbone.ln_post.bias");
  tensors.erase("decode_head.decoder.layers.2.norm3.weight");
  tensors["backbone.proj"] = at::zeros({7, 16});
  tensors["decode_head.extra"] = at::zeros({1});
  save(path, tensors, describe(model.config, {}));
  EXPECT_THAT(
      load_error(path),
      AllOf(HasSubstr(path.string()), HasSubstr("2 missing"), HasSubstr("backbone.ln_post.bias"),
            HasSubstr("layers.2.norm3.weight"), HasSubstr("1 of another shape"),
            HasSubstr("[7, 16] in the file, [24, 16] expected"), HasSubstr("1 unexpected"),
            HasSubstr("decode_head.extra")));
}

TEST_F(Checkpoint, OtherFilesAreNamedForWhatTheyAre) {
  EXPECT_THAT(load_error(golden("open_clip_model.safetensors")),
              AllOf(HasSubstr("not a segmentation model"), HasSubstr("a CLIP with OpenAI's names"),
                    HasSubstr("tagclip train")));
  EXPECT_THAT(load_error(golden("tagclip_tiny_expected.safetensors")),
              HasSubstr("reference values"));
  EXPECT_THAT(load_error(golden("losses.json")), HasSubstr("JSON"));
  EXPECT_THAT(load_error(dir / "none.safetensors"), HasSubstr("No such file"));
}

TEST_F(Checkpoint, MalformedFilesAreRefused) {
  const auto folder = source_folder() / "tests/data/io/malformed";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_THAT(load_error(entry.path()), HasSubstr(entry.path().filename().string()));
    ++files;
  }
  EXPECT_GT(files, 20);
}

TEST_F(Checkpoint, KnowsTheDataSetsOfItsTraining) {
  TrainedOn trained_on = kTrainedOn;
  ASSERT_EQ(trained_on.all_sets().size(), 1U);
  EXPECT_EQ(trained_on.set_of(trained_on.classes)->classes, (std::vector<int64_t>{0, 1, 2}));
  trained_on.sets = {{{"cat", "ñandú"}, {0, 2}, "voc2012", true}, {{"plant"}, {1}, "folder", {}}};
  const TrainedOn read = read_trained_on(describe(ModelConfig(), trained_on), "file");
  ASSERT_EQ(read.sets.size(), 2U);
  EXPECT_EQ(read.sets[0].dataset, "voc2012");
  EXPECT_EQ(read.sets[0].reduce_zero_label, true);
  EXPECT_EQ(read.set_of({"plant"})->classes, std::vector<int64_t>{1});
  EXPECT_FALSE(read.set_of({"plant"})->reduce_zero_label);
  EXPECT_FALSE(read.set_of({"cat"}));
  trained_on.sets[1].classes = {3};
  EXPECT_THROW(read_trained_on(describe(ModelConfig(), trained_on), "file"), Error);
  trained_on.sets[1].classes = {1, 2};
  EXPECT_THROW(read_trained_on(describe(ModelConfig(), trained_on), "file"), Error);
}

TEST_F(Checkpoint, DamagedMetadataIsRefused) {
  const SegmentationModel model = small_model();
  const Metadata sound = describe(model.config, kTrainedOn);
  const auto refusal = [&](const std::string& key, const std::string& value) {
    Metadata metadata = sound;
    metadata[key] = value;
    save(path, tensors_of(model), metadata);
    return load_error(path);
  };
  EXPECT_THAT(refusal("tagclip.trained_on", "{"), HasSubstr("tagclip.trained_on"));
  EXPECT_THAT(refusal("tagclip.trained_on", R"({"classes": [{"name": 3, "seen": true}]})"),
              HasSubstr("tagclip.trained_on"));
  EXPECT_THAT(refusal("tagclip.model", "[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("tagclip.model", std::string(1 << 20, '[')), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("tagclip.model", R"({"decoder_heads": 3})"), HasSubstr("decoder_heads"));
  EXPECT_THAT(refusal("tagclip.model", R"({"self_attention": "a_n"})"), HasSubstr("3 letters"));
  EXPECT_THAT(refusal("tagclip.model", R"({"promts": 3})"), HasSubstr("prompts"));
}

// Were they allocated, these would be terabytes.
TEST_F(Checkpoint, ClaimsOfEnormousSizesCostNothing) {
  const SegmentationModel model = small_model();
  ModelConfig config = model.config;
  config.clip.vision_width = config.clip.text_width = 1 << 16;
  config.clip.vision_layers = 50;
  save(path, tensors_of(model), describe(config, {}));
  EXPECT_THAT(load_error(path),
              AllOf(HasSubstr("missing"), HasSubstr("[24, 16] in the file, [65536, 16] expected")));

  std::map<std::string, at::Tensor> tensors = tensors_of(model);
  tensors["backbone.conv1.weight"] = at::zeros({int64_t{1} << 40, 0, 4, 4});
  save(path, tensors, {});
  EXPECT_THAT(load_error(path), HasSubstr("vision_width"));
}

}  // namespace
}  // namespace tagclip
