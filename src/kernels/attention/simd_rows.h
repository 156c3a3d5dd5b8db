#pragma once

#include <cstdint>

namespace tagclip {

// The inner loops of `attention`. Ranges do not overlap. uint16_t are bfloat16 numbers.

// Turns n scores into exp(scale (score - the largest)); returns 1 / their sum.
float softmax_row(float* scores, int64_t n, float scale);
// The same as exact as bfloat16 can hold it.
float rough_softmax_row(float* scores, int64_t n, float scale);

// Interleaves two rows: out = a[0] b[0] a[1] b[1] ...
void interleave(const uint16_t* a, const uint16_t* b, int64_t n, uint16_t* out);

// columns[i * stride] = x[i]
void put_column(const uint32_t* x, int64_t n, int64_t stride, uint32_t* columns);

}  // namespace tagclip
