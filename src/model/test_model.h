#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "model/segmentation_model.h"

namespace tagclip {

// Configures a model of a few thousand parameters: patch 4, grid 4 x 4, two blocks, three decoder
// layers. Tests only.
inline ModelConfig small_config() {
  ModelConfig config;
  config.clip = {.embedding = 16,
                 .resolution = 16,
                 .patch = 4,
                 .vision_width = 24,
                 .vision_layers = 2,
                 .vision_heads = 2,
                 .context = 12,
                 .vocabulary = 600,
                 .text_width = 16,
                 .text_layers = 1,
                 .text_heads = 2};
  config.prompts = 3;
  config.decoder_heads = 4;
  return config;
}

inline at::Generator seeded(uint64_t seed = 1) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

inline SegmentationModel small_model(const ModelConfig& config = small_config(),
                                     bool text_tower = false) {
  SegmentationModel model(config, text_tower);
  at::Generator generator = seeded();
  model.parameters.initialise(generator);
  return model;
}

// Return unit rows [classes, d] and noise [B, 3, height, width] for it.
inline at::Tensor small_text(int64_t classes, int64_t d = 16) {
  return l2_normalize(at::randn({classes, d}, seeded(2)));
}
inline at::Tensor small_pixels(int64_t batch = 2, int64_t height = 16, int64_t width = 16) {
  return at::randn({batch, 3, height, width}, seeded(3));
}

}  // namespace tagclip
