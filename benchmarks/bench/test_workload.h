#pragma once

#include "bench/workload.h"
#include "model/test_model.h"

namespace tagclip::bench {

// The smallest that does everything: 32 pixels, patches of 8, two blocks. Tests only.
inline Workload tiny_workload() {
  ModelConfig model = small_config();
  model.clip.resolution = 32;
  model.clip.patch = 8;
  model.clip.context = 8;
  return {"tiny", model, /*classes=*/5, /*unseen=*/2};
}

}  // namespace tagclip::bench
