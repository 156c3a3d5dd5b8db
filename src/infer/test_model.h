#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "infer/inference_model.h"
#include "model/test_model.h"
#include "support/test_dir.h"

namespace tagclip {

// The smallest model that does everything: random weights, 64 pixels, patches of 8. Tests only.
inline ModelConfig test_config() {
  ModelConfig config = small_config();
  config.clip.embedding = config.clip.vision_width = config.clip.text_width = 32;
  config.clip.resolution = 64;
  config.clip.patch = 8;
  config.clip.context = 16;
  config.clip.vocabulary = 514;
  config.prompts = 2;
  return config;
}

inline TrainedOn test_classes() {
  return {.classes = {"cat", "Dog", "sky"},
          .seen = {true, true, false},
          .templates = {"a {}", "the {}"}};
}

inline std::filesystem::path save_test_model(const std::filesystem::path& path,
                                             const TrainedOn& trained_on = test_classes(),
                                             const ModelConfig& config = test_config(),
                                             bool with_text_tower = true) {
  SegmentationModel model(config, with_text_tower);
  at::Generator generator = seeded(7);
  model.parameters.initialise(generator);
  save_model(path, model, trained_on, StorageType::kFloat32);
  return path;
}

inline InferenceModel load_test_model(const std::filesystem::path& path) {
  return load_for_inference(path, {.device = Device::kCpu});
}

// A folder with a model of its own.
class ModelTest : public testing::Test {
 protected:
  InferenceModel load(const TrainedOn& trained_on = test_classes(),
                      const ModelConfig& config = test_config(), bool with_text_tower = true) {
    return load_test_model(
        save_test_model(folder_ / "model.safetensors", trained_on, config, with_text_tower));
  }

  TestDir folder_;
};

}  // namespace tagclip
