#pragma once

#include <bit>
#include <cstdint>

#include "base/platform.h"
#include "kernels/common/device.h"

namespace tagclip {

// exp, log1p, sigmoid and QuickGELU in float32, written in operations that compilers vectorise. A
// GPU has an instruction for exp.

inline constexpr float kLog2E = 1.44269504f;

// 2^t for t <= 127; below -126 the value at -126. Splits t into integer and fraction f,
// |f| <= 1/2; `polynomial`(f) approximates 2^f. NaN gives NaN.
template <typename Polynomial>
inline float exp2_by(float t, const Polynomial& polynomial) {
  constexpr float kRounder = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  t = t < -126 ? -126 : t;               // false for NaN, which so passes
  const float rounded = t + kRounder;
  const float fractional = polynomial(t - (rounded - kRounder));
  const uint32_t exponent = std::bit_cast<uint32_t>(rounded) << 23;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(fractional) + exponent);
}

// 2^t for t <= 127; Taylor polynomial of degree 6, whose truncation error is 1.2e-7.
inline float fast_exp2(float t) {
  constexpr float k1 = 6.93147181e-1f, k2 = 2.40226507e-1f, k3 = 5.55041087e-2f,
                  k4 = 9.61812911e-3f, k5 = 1.33335581e-3f, k6 = 1.54035304e-4f;
  return exp2_by(
      t, [](float f) { return 1 + f * (k1 + f * (k2 + f * (k3 + f * (k4 + f * (k5 + f * k6))))); });
}

// 2^t for t <= 127 with a relative error below 1e-4, a twentieth of bfloat16's rounding; minimax
// polynomial of degree 3.
inline float rough_exp2(float t) {
  constexpr float k0 = 0.999928074f, k1 = 0.693260986f, k2 = 0.242611122f, k3 = 0.055171668f;
  return exp2_by(t, [](float f) { return k0 + f * (k1 + f * (k2 + f * k3)); });
}

// exp(x) with a relative error below 8e-6, clamped to its values at x = -87 and x = 87.
TAGCLIP_HOST_DEVICE inline float fast_exp(float x) {
#ifdef __CUDA_ARCH__
  return __expf(x);
#else
  const float t = x * kLog2E, power = fast_exp2(t);
  return t > 126 ? 0x1p126f : power;
#endif
}

// 1 / (1 + exp(-x)) with an absolute error below 3e-7.
TAGCLIP_HOST_DEVICE inline float fast_sigmoid(float x) { return 1 / (1 + fast_exp(-x)); }

// QuickGELU, x sigmoid(1.702 x), and its derivative.
inline float quick_gelu_of(float x) { return x * fast_sigmoid(1.702f * x); }
inline float quick_gelu_slope(float x) {
  const float s = fast_sigmoid(1.702f * x);
  return s + 1.702f * x * s * (1 - s);
}

// log(1 + x) for 0 <= x <= 1 with a relative error below 2e-7; minimax polynomial of
// log(1 + x) / x.
TAGCLIP_HOST_DEVICE inline float fast_log1p(float x) {
  constexpr float k0 = 0.99999997f, k1 = -0.499994931f, k2 = 0.333190966f, k3 = -0.248429808f,
                  k4 = 0.191060009f, k5 = -0.136632329f, k6 = 0.0782257969f, k7 = -0.0295051421f,
                  k8 = 0.00523266981f;
  const float high = k4 + x * (k5 + x * (k6 + x * (k7 + x * k8)));
  return x * (k0 + x * (k1 + x * (k2 + x * (k3 + x * high))));
}

}  // namespace tagclip
