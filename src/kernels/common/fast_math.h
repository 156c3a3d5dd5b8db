#pragma once

#include <bit>
#include <cstdint>

#include "base/platform.h"
#include "kernels/common/host_device.h"

namespace tagclip {

inline constexpr float kLog2E = 1.44269504f;

// 2^t for t <= 127, below -126 as there: 2^f times the power of two beside it, |f| <= 1/2;
// `polynomial`(f) is 2^f.
template <typename Polynomial>
inline float exp2_by(float t, const Polynomial& polynomial) {
  constexpr float kRounder = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  t = t < -126 ? -126 : t;               // written so that NaN passes
  const float rounded = t + kRounder;
  const float fractional = polynomial(t - (rounded - kRounder));
  const uint32_t exponent = std::bit_cast<uint32_t>(rounded) << 23;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(fractional) + exponent);
}

// 2^t for t <= 127, in operations that compilers turn into vector instructions.
inline float fast_exp2(float t) {
  // Taylor coefficients, enough for |f| <= 1/2.
  constexpr float k1 = 6.93147181e-1f, k2 = 2.40226507e-1f, k3 = 5.55041087e-2f,
                  k4 = 9.61812911e-3f, k5 = 1.33335581e-3f, k6 = 1.54035304e-4f;
  return exp2_by(
      t, [](float f) { return 1 + f * (k1 + f * (k2 + f * (k3 + f * (k4 + f * (k5 + f * k6))))); });
}

// 2^t for t <= 127 to a factor of 1 +- 1e-4: a bfloat16 rounds off 20 times that.
inline float rough_exp2(float t) {
  // Minimax polynomial of 2^f, |f| <= 1/2.
  constexpr float k0 = 0.999928074f, k1 = 0.693260986f, k2 = 0.242611122f, k3 = 0.055171668f;
  return exp2_by(t, [](float f) { return k0 + f * (k1 + f * (k2 + f * k3)); });
}

// exp(x) to a factor of 1 +- 8e-6; beyond |x| = 87 as at the limit. A GPU has an instruction for
// it.
TAGCLIP_HOST_DEVICE inline float fast_exp(float x) {
#ifdef __CUDA_ARCH__
  return __expf(x);
#else
  const float t = x * kLog2E, power = fast_exp2(t);
  return t > 126 ? 0x1p126f : power;
#endif
}

// 1 / (1 + exp(-x)) to 3e-7.
TAGCLIP_HOST_DEVICE inline float fast_sigmoid(float x) { return 1 / (1 + fast_exp(-x)); }

// x sigmoid(1.702 x), and its derivative.
inline float quick_gelu_of(float x) { return x * fast_sigmoid(1.702f * x); }
inline float quick_gelu_slope(float x) {
  const float s = fast_sigmoid(1.702f * x);
  return s + 1.702f * x * s * (1 - s);
}

// log(1 + x) for 0 <= x <= 1, to a factor of 1 +- 2e-7.
TAGCLIP_HOST_DEVICE inline float fast_log1p(float x) {
  // Minimax polynomial of log(1 + x) / x.
  constexpr float k0 = 0.99999997f, k1 = -0.499994931f, k2 = 0.333190966f, k3 = -0.248429808f,
                  k4 = 0.191060009f, k5 = -0.136632329f, k6 = 0.0782257969f, k7 = -0.0295051421f,
                  k8 = 0.00523266981f;
  const float high = k4 + x * (k5 + x * (k6 + x * (k7 + x * k8)));
  return x * (k0 + x * (k1 + x * (k2 + x * (k3 + x * high))));
}

}  // namespace tagclip
