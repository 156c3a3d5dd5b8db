#pragma once

#include "bench/workload.h"

namespace tagclip::bench {

// The smallest that does everything: 32 pixels, patches of 8, two blocks. Tests only.
inline Workload tiny_workload() {
  ModelConfig model;
  model.clip = {.embedding = 16,
                .resolution = 32,
                .patch = 8,
                .vision_width = 24,
                .vision_layers = 2,
                .vision_heads = 2,
                .context = 8,
                .vocabulary = 600,
                .text_width = 16,
                .text_layers = 1,
                .text_heads = 2};
  model.prompts = 3;
  model.decoder_heads = 4;
  return {"tiny", model, /*classes=*/5, /*unseen=*/2};
}

}  // namespace tagclip::bench
