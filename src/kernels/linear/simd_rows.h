#pragma once

#include <cstdint>

namespace tagclip {

// The inner loops over one row of n numbers. Ranges do not overlap. uint16_t are bfloat16 numbers.

// out = (x - mean) / sqrt(variance + epsilon) weight + bias
void norm_row(const float* x, const float* weight, const float* bias, float epsilon, int64_t n,
              float* out);

void narrow_row(const float* x, int64_t n, uint16_t* out);
void widen_row(const uint16_t* x, int64_t n, float* out);

// out = x sigmoid(1.702 x)
void quick_gelu_row(const float* x, int64_t n, float* out);
void quick_gelu_row(const uint16_t* x, int64_t n, uint16_t* out);
// out = what a gradient to that is to x.
void quick_gelu_gradient_row(const float* x, const float* gradient, int64_t n, float* out);
void quick_gelu_gradient_row(const uint16_t* x, const uint16_t* gradient, int64_t n, uint16_t* out);

// out = x factor
void scaled_row(const float* x, float factor, int64_t n, float* out);
void scaled_row(const float* x, float factor, int64_t n, uint16_t* out);

// high = x as bfloat16, low = what is left of it.
void split_row(const float* x, int64_t n, uint16_t* high, uint16_t* low);

// out = x / scale, rounded; returns the scale, with which the largest becomes +-127.
float quantise_row(const float* x, int64_t n, int8_t* out);

}  // namespace tagclip
