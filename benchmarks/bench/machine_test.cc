#include "bench/machine.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace tagclip::bench {
namespace {

TEST(Machine, IsMeasured) {
  const Machine machine = measure_machine(/*side=*/128);
  EXPECT_THAT(machine.cpu, testing::Not(testing::IsEmpty()));
  EXPECT_GE(machine.threads, 1);
  EXPECT_THAT(machine.libtorch, testing::HasSubstr("."));
  for (const char* precision : {"float32", "bfloat16x3", "bfloat16", "int8"}) {
    EXPECT_GT(machine.ceilings.at(precision), 1e7) << precision;
    EXPECT_LT(machine.ceilings.at(precision), 1e15) << precision;
  }
  EXPECT_DOUBLE_EQ(machine.share(machine.ceilings.at("int8") / 4, "int8"), 0.25);
  EXPECT_THROW(machine.share(1, "float8"), InternalError);
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
