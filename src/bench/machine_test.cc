#include "bench/machine.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace tagclip {
namespace {

TEST(Machine, IsMeasured) {
  const Machine machine = measure_machine(/*side=*/128);
  EXPECT_THAT(machine.cpu, testing::Not(testing::IsEmpty()));
  EXPECT_GE(machine.threads, 1);
  EXPECT_THAT(machine.libtorch, testing::HasSubstr("."));
  EXPECT_GT(machine.ceiling, 1e8);
  EXPECT_LT(machine.ceiling, 1e15);
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

}  // namespace
}  // namespace tagclip
