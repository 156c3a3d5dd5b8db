#pragma once

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace tagclip {

// Tests that need a GPU, skipped without. `make test-gpu` runs the suites named Gpu...
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || at::getNumGPUs() == 0) GTEST_SKIP() << "there is no GPU";
  }
};

}  // namespace tagclip
