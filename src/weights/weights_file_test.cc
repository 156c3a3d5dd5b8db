#include "weights/weights_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;
using Container = WeightsFile::Container;

const std::filesystem::path kData = source_folder() / "tests/data";
const std::filesystem::path kCheckpoints = kData / "checkpoints";
const std::filesystem::path kShared = shared_folder() / "golden";
// The file that the hostile pickles would write into the current folder.
const std::filesystem::path kProof = "malicious_pickle_was_executed.txt";

float half_to_float(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -24)
                              : std::ldexp(static_cast<float>(mantissa | 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// Returns the values of a float16 or float32 tensor.
std::vector<float> floats(const TensorView& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.numel()));
  if (tensor.dtype == DType::kF32) {
    std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    return values;
  }
  EXPECT_EQ(tensor.dtype, DType::kF16) << tensor.name;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, tensor.data.data() + i * sizeof bits, sizeof bits);
    values[i] = half_to_float(bits);
  }
  return values;
}

// Every tensor of `expected` stands in `file` behind `prefix`, with the same values, and where
// `same_type` bit by bit.
void expect_same_weights(const WeightsFile& file, const std::string& prefix,
                         const std::filesystem::path& expected_path, bool same_type) {
  const WeightsFile expected = WeightsFile::open(expected_path);
  ASSERT_GT(expected.tensors().size(), 10u);
  for (const TensorView& tensor : expected.tensors()) {
    const TensorView* found = file.find(prefix + tensor.name);
    ASSERT_NE(found, nullptr) << prefix << tensor.name;
    EXPECT_EQ(found->shape, tensor.shape) << tensor.name;
    if (same_type) {
      EXPECT_EQ(found->dtype, tensor.dtype) << tensor.name;
    }
    EXPECT_EQ(floats(*found), floats(tensor)) << tensor.name;
  }
}

const std::filesystem::path kOpenClip = kData / "model/open_clip_model.safetensors";
const std::filesystem::path kTagclip = kData / "model/tagclip_tiny_weights.safetensors";

TEST(WeightsFile, Safetensors) {
  const WeightsFile file = WeightsFile::open(kOpenClip);
  EXPECT_EQ(file.container(), Container::kSafetensors);
  EXPECT_EQ(file.name(), kOpenClip.string());
  EXPECT_EQ(file.root(), nullptr);
  EXPECT_EQ(file.tensors().size(), 50u);
  EXPECT_EQ(file.metadata(), SafetensorsFile::open(kOpenClip).metadata());
}

TEST(WeightsFile, TorchScriptOfOpenAi) {
  const WeightsFile file = WeightsFile::open(kCheckpoints / "openai_torchscript.pt");
  EXPECT_EQ(file.container(), Container::kTorchScript);
  EXPECT_TRUE(file.metadata().empty());
  EXPECT_EQ(file.root()->object()->class_name, "__torch__.clip.model.CLIP");
  expect_same_weights(file, "", kOpenClip, /*same_type=*/false);
  EXPECT_EQ(file.find("visual.conv1.weight")->dtype, DType::kF16);
  EXPECT_EQ(file.find("visual.ln_pre.weight")->dtype, DType::kF32);
  EXPECT_EQ(file.find("input_resolution")->dtype, DType::kI64);
  EXPECT_EQ(file.find("input_resolution")->data[0], std::byte{64});
  EXPECT_EQ(file.tensors().size(), 50u + 3u);
}

TEST(WeightsFile, TrainingCheckpointOfOpenClip) {
  const WeightsFile file = WeightsFile::open(kCheckpoints / "open_clip_epoch_7.pt");
  EXPECT_EQ(file.container(), Container::kTorchZip);
  EXPECT_EQ(file.root()->find("epoch")->integer(), 7);
  EXPECT_EQ(file.tensors().size(), 50u);
  expect_same_weights(file, "state_dict.module.", kOpenClip, /*same_type=*/true);
}

void expect_palette_and_classes(const PickleValue& root) {
  const PickleValue* meta = root.find("meta");
  ASSERT_NE(meta, nullptr);
  const PickleValue* classes = meta->find("CLASSES");
  ASSERT_NE(classes, nullptr);
  EXPECT_FALSE(classes->items()->empty());
  EXPECT_NE(classes->items()->front()->text(), nullptr);
  EXPECT_EQ(meta->find("PALETTE")->items()->front()->items()->size(), 3u);
}

TEST(WeightsFile, LegacyCheckpointOfMmseg) {
  const WeightsFile file = WeightsFile::open(kCheckpoints / "mmseg_iter_20000_legacy.pth");
  EXPECT_EQ(file.container(), Container::kTorchLegacy);
  expect_same_weights(file, "state_dict.", kTagclip, /*same_type=*/true);
  expect_palette_and_classes(*file.root());
}

TEST(WeightsFile, OtherReferenceCheckpoints) {
  if (!std::filesystem::exists(kShared)) GTEST_SKIP() << "no reference data at " << kShared;
  const auto folder = kShared / "checkpoints";
  expect_same_weights(WeightsFile::open(folder / "open_clip_pytorch_model.bin"), "", kOpenClip,
                      true);
  expect_same_weights(WeightsFile::open(folder / "openai_state_dict.pt"), "", kOpenClip, false);
  const WeightsFile hf = WeightsFile::open(folder / "hf_bin/pytorch_model.bin");
  expect_same_weights(hf, "", folder / "hf_safetensors/model.safetensors", true);
  EXPECT_EQ(hf.find("text_model.embeddings.position_ids")->dtype, DType::kI64);

  const WeightsFile mmseg = WeightsFile::open(folder / "mmseg_iter_20000.pth");
  EXPECT_EQ(mmseg.container(), Container::kTorchZip);
  expect_same_weights(mmseg, "state_dict.", kTagclip, true);
  expect_palette_and_classes(*mmseg.root());
  EXPECT_EQ(mmseg.root()->find("state_dict")->find("_metadata"), nullptr);
  EXPECT_NE(mmseg.find("optimizer.state.49.exp_avg"), nullptr);
}

TEST(WeightsFile, MalformedFilesAreHandledAsExpected) {
  std::filesystem::remove(kProof);
  const auto folder = kCheckpoints / "malformed";
  const auto expected = nlohmann::json::parse(std::ifstream(folder / "expected.json"));
  ASSERT_GT(expected.size(), 15u);
  for (const auto& [name, entry] : expected.items()) {
    if (entry.at("expect") == "reject") {
      EXPECT_THAT(bad_input_text([&] { WeightsFile::open(folder / name); }), HasSubstr(name));
    } else {
      EXPECT_NO_THROW(WeightsFile::open(folder / name)) << name;
    }
  }
  EXPECT_FALSE(std::filesystem::exists(kProof));
}

TEST(WeightsFile, MalformedSafetensorsAreHandledAsExpected) {
  const auto folder = kData / "io/malformed";
  const auto expected = nlohmann::json::parse(std::ifstream(folder / "expected.json"));
  for (const auto& [name, entry] : expected.items()) {
    if (entry.at("expect") == "reject") {
      EXPECT_THAT(bad_input_text([&] { WeightsFile::open(folder / name); }), HasSubstr(name));
    } else {
      EXPECT_NO_THROW(WeightsFile::open(folder / name)) << name;
    }
  }
}

TEST(WeightsFile, TheNameOfTheFileDoesNotMatter) {
  const TestDir dir;
  std::filesystem::copy(kCheckpoints / "malformed/valid_small.pt", dir / "a.safetensors");
  EXPECT_EQ(WeightsFile::open(dir / "a.safetensors").container(), Container::kTorchZip);
  std::filesystem::copy(kOpenClip, dir / "b.pt");
  EXPECT_EQ(WeightsFile::open(dir / "b.pt").container(), Container::kSafetensors);
}

TEST(WeightsFile, ParsesBytes) {
  const auto torch = read_bytes(kCheckpoints / "malformed/valid_small.pt");
  EXPECT_EQ(WeightsFile::parse(torch, "a").find("a")->numel(), 6);
  const auto safetensors = read_bytes(kOpenClip);
  EXPECT_EQ(WeightsFile::parse(safetensors, "b").tensors().size(), 50u);
}

TEST(WeightsFile, CutOffAnywhere) {
  for (const std::string name : {"open_clip_epoch_7.pt", "mmseg_iter_20000_legacy.pth"}) {
    const auto bytes = read_bytes(kCheckpoints / name);
    ASSERT_NO_THROW(WeightsFile::parse(bytes, name));
    for (size_t length = 0; length < bytes.size(); length += 997) {
      EXPECT_THROW(WeightsFile::parse(std::span(bytes).first(length), name), Error) << length;
    }
  }
}

TEST(WeightsFile, OtherFilesAreNamed) {
  EXPECT_THAT(bad_input_text([] { WeightsFile::open(kData / "photos/cat.jpg"); }),
              HasSubstr("cat.jpg: expected weights, found a JPEG photo"));
  EXPECT_THAT(bad_input_text([] { WeightsFile::open("/none"); }), HasSubstr("No such file"));
}

}  // namespace
}  // namespace tagclip
