#include "kernels/linear_tiles.h"

#include "kernels/narrow.h"
#include "kernels/vector_math.h"

namespace tagclip {
namespace {

inline void put(float value, float& to) { to = value; }
inline void put(float value, uint16_t& to) { to = to_bfloat16(value); }

inline float quick_gelu(float y) { return y * fast_sigmoid(1.702f * y); }

template <typename T, typename Function>
[[gnu::always_inline]] inline void each(Tile tile, const float* __restrict bias, TileOutput<T> out,
                                        const Function& function) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const float* __restrict sums = tile.sums + i * tile.stride;
    T* __restrict to = out.at + i * out.stride;
    for (int64_t j = 0; j < tile.columns; ++j) put(function(sums[j] + bias[j]), to[j]);
  }
}

}  // namespace

TAGCLIP_EACH_PROCESSOR
void store_tile(Tile tile, const float* bias, TileOutput<float> out) {
  each(tile, bias, out, [](float y) { return y; });
}

TAGCLIP_EACH_PROCESSOR
void store_tile(Tile tile, const float* bias, TileOutput<uint16_t> out) {
  each(tile, bias, out, [](float y) { return y; });
}

TAGCLIP_EACH_PROCESSOR
void store_quick_gelu(Tile tile, const float* bias, TileOutput<float> out) {
  each(tile, bias, out, [](float y) { return quick_gelu(y); });
}

TAGCLIP_EACH_PROCESSOR
void store_quick_gelu(Tile tile, const float* bias, TileOutput<uint16_t> out) {
  each(tile, bias, out, [](float y) { return quick_gelu(y); });
}

TAGCLIP_EACH_PROCESSOR
void add_tile(Tile tile, const float* __restrict bias, TileOutput<float> out) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const float* __restrict sums = tile.sums + i * tile.stride;
    float* __restrict to = out.at + i * out.stride;
    for (int64_t j = 0; j < tile.columns; ++j) to[j] += sums[j] + bias[j];
  }
}

TAGCLIP_EACH_PROCESSOR
void scale_products(const int32_t* products, int64_t rows, int64_t columns, int64_t stride,
                    const float* __restrict row_scales, const float* __restrict column_scales,
                    float* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    const int32_t* __restrict from = products + i * stride;
    float* __restrict to = sums + i * stride;
    for (int64_t j = 0; j < columns; ++j) {
      to[j] = static_cast<float>(from[j]) * (row_scales[i] * column_scales[j]);
    }
  }
}

}  // namespace tagclip
