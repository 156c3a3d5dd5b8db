#pragma once

#include <cstdint>

namespace tagclip {

// The inner loops of PackedLinear: what becomes of a block of products. bfloat16 numbers are the
// upper halves of floats. Ranges do not overlap.

struct Tile {
  const float* sums;  // [rows, stride]
  int64_t rows, columns, stride;
};

template <typename T>
struct TileOutput {
  T* at;
  int64_t stride;
};

// out = sums + bias
void store_tile(Tile tile, const float* bias, TileOutput<float> out);
void store_tile(Tile tile, const float* bias, TileOutput<uint16_t> out);
// out = y sigmoid(1.702 y), y = sums + bias
void store_quick_gelu(Tile tile, const float* bias, TileOutput<float> out);
void store_quick_gelu(Tile tile, const float* bias, TileOutput<uint16_t> out);
// out += sums + bias
void add_tile(Tile tile, const float* bias, TileOutput<float> out);

// products[i, j] -> sums[i, j] = products[i, j] row_scales[i] column_scales[j]; both [rows,
// stride].
void scale_products(const int32_t* products, int64_t rows, int64_t columns, int64_t stride,
                    const float* row_scales, const float* column_scales, float* sums);

}  // namespace tagclip
