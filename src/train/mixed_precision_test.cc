#include "train/mixed_precision.h"

#include <gtest/gtest.h>

#include "model/test_model.h"

namespace tagclip {
namespace {

TEST(FrozenBf16Weights, AreFloat32WithinAScopeAlone) {
  SegmentationModel model = small_model();
  model.set_trained();
  const std::vector<Parameter> matrices = frozen_matrices(model.parameters);
  ASSERT_FALSE(matrices.empty());
  const at::Tensor& matrix = matrices.front().tensor;
  const at::Tensor before = matrix.detach().clone();
  FrozenBf16Weights weights(matrices);
  EXPECT_EQ(matrix.scalar_type(), at::kBFloat16);
  const void* memory = matrix.const_data_ptr();
  {
    const FrozenBf16Weights::Float32Scope outer(weights);
    EXPECT_TRUE(matrix.equal(before));
    {
      const FrozenBf16Weights::Float32Scope inner(weights);
    }
    EXPECT_TRUE(matrix.equal(before)) << "the inner scope ended the outer one";
  }
  EXPECT_EQ(matrix.scalar_type(), at::kBFloat16);
  EXPECT_EQ(matrix.const_data_ptr(), memory);
}

TEST(FrozenBf16Weights, AScopeEndsWithAnException) {
  SegmentationModel model = small_model();
  model.set_trained();
  FrozenBf16Weights weights(frozen_matrices(model.parameters));
  const auto fail = [&] {
    const FrozenBf16Weights::Float32Scope scope(weights);
    throw std::runtime_error("validation failed");
  };
  EXPECT_THROW(fail(), std::runtime_error);
  EXPECT_EQ(frozen_matrices(model.parameters).front().tensor.scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace tagclip
