#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <filesystem>
#include <string>

#include "infer/inference_model.h"

namespace tagclip {

// The smallest model that does everything: random weights, 64 pixels, patches of 8. Tests only.
inline ModelConfig test_config() {
  ModelConfig config;
  config.clip = {.embedding = 32,
                 .resolution = 64,
                 .patch = 8,
                 .vision_width = 32,
                 .vision_layers = 2,
                 .vision_heads = 2,
                 .context = 16,
                 .vocabulary = 514,
                 .text_width = 32,
                 .text_layers = 1,
                 .text_heads = 2};
  config.prompts = 2;
  config.decoder_heads = 4;
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
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  model.parameters.initialise(generator);
  save_model(path, model, trained_on, StoragePrecision::kFloat32);
  return path;
}

inline InferenceModel load_test_model(const std::filesystem::path& path) {
  return load_for_inference(path, {.device = Device::kCpu});
}

}  // namespace tagclip
