#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/fast_math.h"

namespace tagclip {

// What one pixel adds to the sums of mask_loss.h.

inline constexpr float kAlphaTarget = 0.25f, kAlphaBackground = 0.75f;

// The sigmoid of a logit, what it lacks to 1, and log(1 + exp(logit)).
struct SigmoidTerms {
  float p, complement, softplus;
};

// Of exp(-|x|), which never overflows.
TAGCLIP_HOST_DEVICE inline SigmoidTerms sigmoid_terms(float x) {
  const float e = fast_exp(-std::fabs(x));
  const float larger = 1 / (1 + e), smaller = e * larger;
  return {.p = x > 0 ? larger : smaller,
          .complement = x > 0 ? smaller : larger,
          .softplus = (x > 0 ? x : 0) + fast_log1p(e)};
}

// Focal loss of a logit against 0, up to alpha, and its derivative. Against 1 it is the loss of
// -logit.
struct Focal {
  float loss, slope;
};

TAGCLIP_HOST_DEVICE inline Focal focal_of(const SigmoidTerms& a) {
  const float square = a.p * a.p;
  return {.loss = square * a.softplus, .slope = square * (a.p + 2 * a.complement * a.softplus)};
}

// What a pixel is to a map.
enum class PixelKind : int32_t { kBackground, kTarget, kUncounted };

// Its share of the sums, and their derivatives in its logit.
struct PixelShare {
  float focal, intersection, prediction;
  float focal_slope, intersection_slope, prediction_slope;
};

TAGCLIP_HOST_DEVICE inline PixelShare share_of(float logit, PixelKind kind) {
  const bool target = kind == PixelKind::kTarget;
  const float counted = kind == PixelKind::kUncounted ? 0.0f : 1.0f;
  const float sign = target ? -1.0f : 1.0f;
  const float alpha = target ? kAlphaTarget : kAlphaBackground;
  const SigmoidTerms a = sigmoid_terms(sign * logit);
  const Focal f = focal_of(a);
  const float p = counted * (target ? a.complement : a.p), p_slope = counted * a.p * a.complement;
  return {.focal = alpha * f.loss,
          .intersection = target ? p : 0.0f,
          .prediction = p,
          .focal_slope = sign * alpha * f.slope,
          .intersection_slope = target ? p_slope : 0.0f,
          .prediction_slope = p_slope};
}

}  // namespace tagclip
