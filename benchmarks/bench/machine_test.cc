#include "bench/machine.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "kernels/linear/precision.h"

namespace tagclip::bench {
namespace {

TEST(Machine, IsMeasured) {
  const Machine machine = measure_machine(/*side=*/128);
  EXPECT_THAT(machine.cpu, testing::Not(testing::IsEmpty()));
  EXPECT_GE(machine.threads, 1);
  EXPECT_THAT(machine.libtorch, testing::HasSubstr("."));
  for (const GemmPrecision precision : kGemmPrecisions) {
    const std::string name(name_of(precision));
    ASSERT_EQ(machine.peak_gemm.contains(name), runs_here(precision)) << name;
    if (!runs_here(precision)) continue;
    EXPECT_GT(machine.peak_gemm.at(name), 1e7) << name;
    EXPECT_LT(machine.peak_gemm.at(name), 1e15) << name;
  }
  EXPECT_DOUBLE_EQ(machine.share_of_peak(machine.peak_gemm.at("float32") / 4, "float32"), 0.25);
  EXPECT_THROW(machine.share_of_peak(1, "float8"), InternalError);
}

TEST(PeakMemory, SeesWhatWasHeldInBetween) {
  constexpr int64_t kBytes = 64 << 20;
  const PeakMemory before;
  const auto start = before.bytes();
  if (!start) GTEST_SKIP() << "this kernel does not let the high-water mark be restarted";
  at::ones({kBytes}, at::kByte);
  EXPECT_GE(*before.bytes(), *start + kBytes * 9 / 10);
  const PeakMemory after;
  EXPECT_LT(*after.bytes(), *before.bytes() + kBytes / 2);
  EXPECT_LT(*after.bytes(), *start + kBytes / 2);
}

TEST(MemoryGrowth, IsWhatTheWorkTook) {
  constexpr int64_t kBytes = 64 << 20;
  const auto grown = memory_growth([] { at::ones({kBytes}, at::kByte); });
  if (!grown) GTEST_SKIP() << "this kernel does not let the high-water mark be restarted";
  EXPECT_NEAR(static_cast<double>(*grown), kBytes, 0.1 * kBytes);
}

}  // namespace
}  // namespace tagclip::bench
