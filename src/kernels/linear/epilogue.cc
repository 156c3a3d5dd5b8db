#include "kernels/linear/epilogue.h"

#include "kernels/common/bfloat16.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

inline void put(float value, float& to) { to = value; }
inline void put(float value, uint16_t& to) { to = to_bfloat16(value); }

inline float gelu(float y) {
  // Abramowitz and Stegun 7.1.26: the half of erfc(|y| / sqrt(2)) to 1e-7.
  const float size = y < 0 ? -y : y, t = 1 / (1 + 0.231641888f * size);
  constexpr float k1 = 0.127414796f, k2 = -0.142248368f, k3 = 0.710706871f, k4 = -0.726576013f,
                  k5 = 0.530702715f;
  const float tail = t * (k1 + t * (k2 + t * (k3 + t * (k4 + t * k5)))) * fast_exp(-0.5f * y * y);
  return y * (y < 0 ? tail : 1 - tail);
}

template <typename T, typename Function>
[[gnu::always_inline]] inline void each(Tile tile, const float* __restrict bias, TileOutput<T> out,
                                        const Function& function) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const float* __restrict sums = tile.sums + i * tile.stride;
    T* __restrict to = out.at + i * out.stride;
    for (int64_t j = 0; j < tile.columns; ++j) put(function(sums[j] + bias[j]), to[j]);
  }
}

template <typename Function>
[[gnu::always_inline]] inline void each(Tile tile, const float* __restrict bias,
                                        SplitTileOutput out, const Function& function) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const float* __restrict sums = tile.sums + i * tile.stride;
    uint16_t* __restrict high = out.high + i * out.stride, * __restrict low =
                                                               out.low + i * out.stride;
    for (int64_t j = 0; j < tile.columns; ++j) split(function(sums[j] + bias[j]), high[j], low[j]);
  }
}

template <typename Output>
[[gnu::always_inline]] inline void store(Epilogue epilogue, Tile tile, const float* bias,
                                         Output out) {
  switch (epilogue) {
    case Epilogue::kQuickGelu:
      return each(tile, bias, out, [](float y) { return quick_gelu_of(y); });
    case Epilogue::kGelu:
      return each(tile, bias, out, [](float y) { return gelu(y); });
    default:
      return each(tile, bias, out, [](float y) { return y; });
  }
}

[[gnu::always_inline]] inline void add(Tile tile, const float* __restrict bias,
                                       TileOutput<float> out) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const float* __restrict sums = tile.sums + i * tile.stride;
    float* __restrict to = out.at + i * out.stride;
    for (int64_t j = 0; j < tile.columns; ++j) to[j] += sums[j] + bias[j];
  }
}

}  // namespace

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, TileOutput<float> out) {
  epilogue == Epilogue::kAccumulate ? add(tile, bias, out) : store(epilogue, tile, bias, out);
}

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, TileOutput<uint16_t> out) {
  store(epilogue, tile, bias, out);
}

TAGCLIP_MULTIVERSION
void apply_epilogue(Epilogue epilogue, Tile tile, const float* bias, SplitTileOutput out) {
  store(epilogue, tile, bias, out);
}

TAGCLIP_MULTIVERSION
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
