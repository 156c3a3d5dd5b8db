// The kernel as a GPU runs it, against the reference on the CPU.
#include "gpu/test_gpu.h"
#include "kernels/blend/blend.h"
#include "kernels/blend/test_blend_cases.h"

namespace tagclip {
namespace {

class GpuBlend : public GpuTest {};

BestClass blend_on_gpu(const WindowLogits& logits, const WindowLayout& layout,
                       const ScoreRule& rule, Extent image) {
  const auto moved = [](const at::Tensor& part) { return part.defined() ? part.cuda() : part; };
  return blend({moved(logits.classes), moved(logits.trusty), moved(logits.presence)}, layout, rule,
               image);
}

TEST_F(GpuBlend, AgreesWithTheReference) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_blend(seed), blend_on_gpu);
  }
}

TEST_F(GpuBlend, AgreesWithTheReferenceOnManyClasses) {
  expect_agreement(random_blend(1, 300), blend_on_gpu);
  expect_agreement(random_blend(2, 2500), blend_on_gpu);
}

}  // namespace
}  // namespace tagclip
