#pragma once

#include <cstdint>

namespace tagclip {

// The inner loops of PackedLinear: what becomes of a block of products. bfloat16 numbers are the
// upper halves of floats. Ranges do not overlap.

// What becomes of a product while it is in the cache.
enum class Epilogue {
  kBias,        // out = sums + bias
  kQuickGelu,   // out = y sigmoid(1.702 y), y = sums + bias
  kGelu,        // out = y Phi(y), Phi the normal distribution's, to 1e-6
  kAccumulate,  // out += sums + bias
};

struct Tile {
  const float* sums;  // [rows, stride]
  int64_t rows, columns, stride;
};

template <typename T>
struct TileOutput {
  T* at;
  int64_t stride;
};

// Numbers as sums of two bfloat16, see `split`.
struct SplitTileOutput {
  uint16_t *high, *low;
  int64_t stride;
};

void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, TileOutput<float> out);
// kAccumulate is for floats only.
void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, TileOutput<uint16_t> out);
void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, SplitTileOutput out);

// products[i, j] -> sums[i, j] = products[i, j] row_scales[i] column_scales[j]; both [rows,
// stride].
void scale_products(const int32_t* products, int64_t rows, int64_t columns, int64_t stride,
                    const float* row_scales, const float* column_scales, float* sums);

}  // namespace tagclip
