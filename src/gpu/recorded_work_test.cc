#include "gpu/recorded_work.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "gpu/test_gpu.h"

namespace tagclip {
namespace {

TEST(RecordedWork, IsDoneEveryTimeOnTheCpu) {
  RecordedWork on_cpu(at::kCPU), never;
  for (RecordedWork* recorded : {&on_cpu, &never}) {
    int done = 0;
    for (int i = 0; i < 5; ++i) (*recorded)([&] { ++done; });
    EXPECT_EQ(done, 5);
    EXPECT_FALSE(recorded->recorded());
  }
}

TEST(RecordedWork, LetsFailuresThrough) {
  RecordedWork recorded(at::kCPU);
  EXPECT_THROW(recorded([] { throw std::runtime_error("no"); }), std::runtime_error);
}

class GpuRecordedWork : public GpuTest {};

TEST_F(GpuRecordedWork, ReadsItsInputsAnewEveryTime) {
  RecordedWork recorded(at::kCUDA);
  const at::Tensor input = at::zeros({4}, at::device(at::kCUDA).dtype(at::kFloat));
  at::Tensor doubled;
  for (int i = 0; i < 6; ++i) {
    input.fill_(i);
    recorded([&] { doubled = input * 2; });
    EXPECT_EQ(doubled.sum().item<float>(), 8 * i);
  }
}

// Draws depend on the seed given before the call alone, launched or not.
TEST_F(GpuRecordedWork, DrawsAsSeeded) {
  at::Generator generator = at::globalContext().defaultGenerator(at::Device(at::kCUDA, 0)).clone();
  RecordedWork recorded(at::Device(at::kCUDA, 0), {generator});
  const auto draw = [&] {
    return at::rand({1000}, generator, at::device(at::kCUDA).dtype(at::kFloat));
  };
  at::Tensor drawn;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    generator.set_current_seed(seed);
    const at::Tensor expected = draw();
    generator.set_current_seed(seed);
    recorded([&] { drawn = draw(); });
    EXPECT_TRUE(drawn.equal(expected)) << seed;
  }
}

}  // namespace
}  // namespace tagclip
