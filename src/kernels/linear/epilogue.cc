#include "kernels/linear/epilogue.h"

#include "base/platform.h"
#include "kernels/common/bfloat16.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

inline void store(float value, float& to) { to = value; }
inline void store(float value, uint16_t& to) { to = to_bfloat16(value); }

inline float gelu(float y) {
  // Abramowitz and Stegun 7.1.26: half of erfc(|y| / sqrt(2)) to 1e-7.
  const float size = y < 0 ? -y : y, t = 1 / (1 + 0.231641888f * size);
  constexpr float k1 = 0.127414796f, k2 = -0.142248368f, k3 = 0.710706871f, k4 = -0.726576013f,
                  k5 = 0.530702715f;
  const float tail = t * (k1 + t * (k2 + t * (k3 + t * (k4 + t * k5)))) * fast_exp(-0.5f * y * y);
  return y * (y < 0 ? tail : 1 - tail);
}

// out = function(products + bias)
template <typename T, typename Function>
[[gnu::always_inline]] inline void for_each(ProductBlock block, const float* __restrict bias,
                                            BlockOutput<T> out, const Function& function) {
  for (int64_t i = 0; i < block.rows; ++i) {
    const float* __restrict products = block.values + i * block.stride;
    T* __restrict to = out.values + i * out.stride;
    for (int64_t j = 0; j < block.columns; ++j) store(function(products[j] + bias[j]), to[j]);
  }
}

template <typename Function>
[[gnu::always_inline]] inline void for_each(ProductBlock block, const float* __restrict bias,
                                            SplitBlockOutput out, const Function& function) {
  for (int64_t i = 0; i < block.rows; ++i) {
    const float* __restrict products = block.values + i * block.stride;
    uint16_t* __restrict high = out.high + i * out.stride;
    uint16_t* __restrict low = out.low + i * out.stride;
    for (int64_t j = 0; j < block.columns; ++j) {
      split_bfloat16(function(products[j] + bias[j]), high[j], low[j]);
    }
  }
}

template <typename Output>
[[gnu::always_inline]] inline void overwrite(Epilogue epilogue, ProductBlock block,
                                             const float* bias, Output out) {
  switch (epilogue) {
    case Epilogue::kQuickGelu:
      return for_each(block, bias, out, [](float y) { return quick_gelu_of(y); });
    case Epilogue::kGelu:
      return for_each(block, bias, out, [](float y) { return gelu(y); });
    default:
      return for_each(block, bias, out, [](float y) { return y; });
  }
}

[[gnu::always_inline]] inline void accumulate(ProductBlock block, const float* __restrict bias,
                                              BlockOutput<float> out) {
  for (int64_t i = 0; i < block.rows; ++i) {
    const float* __restrict products = block.values + i * block.stride;
    float* __restrict to = out.values + i * out.stride;
    for (int64_t j = 0; j < block.columns; ++j) to[j] += products[j] + bias[j];
  }
}

}  // namespace

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias,
                    BlockOutput<float> out) {
  epilogue == Epilogue::kAccumulate ? accumulate(block, bias, out)
                                    : overwrite(epilogue, block, bias, out);
}

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias,
                    BlockOutput<uint16_t> out) {
  overwrite(epilogue, block, bias, out);
}

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias,
                    SplitBlockOutput out) {
  overwrite(epilogue, block, bias, out);
}

TAGCLIP_MULTIVERSION
void scale_products(const int32_t* products, int64_t rows, int64_t columns, int64_t stride,
                    const float* __restrict row_scales, const float* __restrict column_scales,
                    float* scaled) {
  for (int64_t i = 0; i < rows; ++i) {
    const int32_t* __restrict from = products + i * stride;
    float* __restrict to = scaled + i * stride;
    for (int64_t j = 0; j < columns; ++j) {
      to[j] = static_cast<float>(from[j]) * (row_scales[i] * column_scales[j]);
    }
  }
}

}  // namespace tagclip
