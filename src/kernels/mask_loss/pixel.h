#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/fast_math.h"

namespace tagclip {

// This header computes what one pixel adds to the sums of mask_loss.h, for the CPU and the GPU.

inline constexpr float kAlphaTarget = 0.25f, kAlphaBackground = 0.75f;

// Holds p = sigmoid(x), 1 - sigmoid(x) and softplus = log(1 + exp(x)).
struct SigmoidTerms {
  float p, complement, softplus;
};

// Computes them by exp(-|x|), which never overflows.
TAGCLIP_HOST_DEVICE inline SigmoidTerms sigmoid_terms(float x) {
  const float e = fast_exp(-std::fabs(x));
  const float larger = 1 / (1 + e), smaller = e * larger;
  return {.p = x > 0 ? larger : smaller,
          .complement = x > 0 ? smaller : larger,
          .softplus = (x > 0 ? x : 0) + fast_log1p(e)};
}

// Holds the focal loss (L_focal of Eq. 11) of a background logit x without the factor alpha, p^2
// log(1 + exp(x)), and its derivative. The loss of a target logit x is that of -x.
struct Focal {
  float loss, slope;
};

TAGCLIP_HOST_DEVICE inline Focal focal_of(const SigmoidTerms& s) {
  const float square = s.p * s.p;
  return {.loss = square * s.softplus, .slope = square * (s.p + 2 * s.complement * s.softplus)};
}

enum class PixelKind : int32_t { kBackground, kTarget, kIgnored };

// The terms a pixel adds to each sum, and the derivatives in its logit.
struct PixelTerms {
  float focal, intersection, prediction;
  float focal_slope, intersection_slope, prediction_slope;
};

TAGCLIP_HOST_DEVICE inline PixelTerms pixel_terms(float logit, PixelKind kind) {
  const bool target = kind == PixelKind::kTarget;
  const float counted = kind == PixelKind::kIgnored ? 0.0f : 1.0f;
  const float sign = target ? -1.0f : 1.0f;
  const float alpha = target ? kAlphaTarget : kAlphaBackground;
  const SigmoidTerms s = sigmoid_terms(sign * logit);
  const Focal f = focal_of(s);
  const float p = counted * (target ? s.complement : s.p), p_slope = counted * s.p * s.complement;
  return {.focal = alpha * f.loss,
          .intersection = target ? p : 0.0f,
          .prediction = p,
          .focal_slope = sign * alpha * f.slope,
          .intersection_slope = target ? p_slope : 0.0f,
          .prediction_slope = p_slope};
}

}  // namespace tagclip
