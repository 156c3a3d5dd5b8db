#pragma once

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "kernels/gpu_kernels.h"

namespace tagclip {

// What needs a GPU, and our kernels for it; skipped without. `make test-gpu` runs the suites whose
// names begin with Gpu.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || at::getNumGPUs() == 0) GTEST_SKIP() << "there is no GPU";
    if (!has_gpu_kernels()) GTEST_SKIP() << "built without CUDA's compiler";
  }
};

}  // namespace tagclip
