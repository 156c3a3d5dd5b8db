#pragma once

#include <cstdint>

namespace tagclip {

// An epilogue is applied to a block of products while it is in the cache. uint16_t holds bfloat16.
// Ranges do not overlap.

enum class Epilogue {
  kBias,        // out = products + bias
  kQuickGelu,   // out = y sigmoid(1.702 y), y = products + bias
  kGelu,        // out = y Phi(y), Phi the normal distribution function, to 1e-6
  kAccumulate,  // out += products + bias
};

struct ProductBlock {
  const float* values;  // [rows, stride]
  int64_t rows, columns, stride;
};

template <typename T>
struct BlockOutput {
  T* values;
  int64_t stride;
};

// Each number is split into a sum of two bfloat16: see split_bfloat16.
struct SplitBlockOutput {
  uint16_t *high, *low;
  int64_t stride;
};

// bias [columns]. kAccumulate is for float outputs only.
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias,
                    BlockOutput<float> out);
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias,
                    BlockOutput<uint16_t> out);
void apply_epilogue(Epilogue epilogue, ProductBlock block, const float* bias, SplitBlockOutput out);

// Dequantises int8 products: scaled[i, j] = products[i, j] row_scales[i] column_scales[j]; both
// [rows, stride].
void scale_products(const int32_t* products, int64_t rows, int64_t columns, int64_t stride,
                    const float* row_scales, const float* column_scales, float* scaled);

}  // namespace tagclip
