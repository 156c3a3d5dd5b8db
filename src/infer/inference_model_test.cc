#include "infer/inference_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_errors.h"

namespace tagclip {
namespace {

TEST(ChooseDevice, TakesAGpuWhereThereIsOne) {
  EXPECT_EQ(choose_device(Device::kCpu), at::Device(at::kCPU));
  if (!at::hasCUDA()) {
    EXPECT_EQ(choose_device(Device::kAuto), at::Device(at::kCPU));
    EXPECT_THAT(error_of(ErrorKind::kUsage, [] { choose_device(Device::kCuda); }),
                testing::HasSubstr("no CUDA"));
  }
}

TEST(GemmPrecision, EveryPrecisionButAutoIsOneOfTheKernels) {
  for (const auto& [name, precision] : kPrecisionNames) {
    const std::optional<GemmPrecision> found = gemm_precision(precision);
    ASSERT_EQ(found.has_value(), precision != Precision::kAuto);
    EXPECT_EQ(found ? name_of(*found) : "auto", name);
  }
}

}  // namespace
}  // namespace tagclip
