#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <optional>

#include "train/sample_loader.h"

namespace tagclip {

// Hands the batches of a loader to the device: while a GPU works on one, the next is copied to it
// on a stream of its own. On the CPU batches are where they are needed already.
class DeviceStage {
 public:
  // `loader` must outlive the stage; `batches` are left in it. A GPU's loader makes pinned batches.
  DeviceStage(SampleLoader& loader, int64_t batches, at::Device device);

  // The next batch, on the device. Throws as SampleLoader::next, one batch early on a GPU.
  LabelledBatch next();

 private:
  struct Copy {
    LabelledBatch on_device;
    LabelledBatch on_host;  // must stay as it is until the copy is made
    c10::Event made;
  };
  Copy begin_copy();

  SampleLoader& loader_;
  int64_t left_;  // batches not yet asked of the loader
  at::Device device_;
  std::optional<c10::Stream> copies_;  // on a GPU
  std::optional<Copy> ahead_, current_;
};

}  // namespace tagclip
