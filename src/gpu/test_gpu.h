#pragma once

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace tagclip {

// What needs a GPU; skipped without. `make test-gpu` runs the suites whose names begin with Gpu.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || at::getNumGPUs() == 0) GTEST_SKIP() << "there is no GPU";
  }
};

}  // namespace tagclip
