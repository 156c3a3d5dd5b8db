#pragma once

#include "kernels/common/host_device.h"

namespace tagclip {

// How logits along one axis are stretched to pixels, bilinearly (align_corners false), seen from
// the logits: which pixels look at one of them.
struct Stretch {
  int inputs, outputs;
  float scale;  // inputs / outputs

  // Where a pixel's centre lies among the logits; logit i covers i .. i + 1, its centre is i + 1/2.
  TAGCLIP_HOST_DEVICE float place(int pixel) const {
    return scale * (static_cast<float>(pixel) + 0.5f);
  }

  // The first pixel that does not lie before `place`; `outputs` where all do.
  TAGCLIP_HOST_DEVICE int first_at(float least) const {
    const float guess = least / scale - 0.5f;
    int pixel = guess > 0 ? static_cast<int>(guess) : 0;
    pixel = pixel < outputs ? pixel : outputs;
    while (pixel > 0 && place(pixel - 1) >= least) --pixel;
    while (pixel < outputs && place(pixel) < least) ++pixel;
    return pixel;
  }
};

// The pixels that lie in one half of a logit along one axis. All are interpolated between the same
// two logits.
struct HalfFootprint {
  int begin, end;  // pixels
  int low, high;   // logits; the same one beyond the first and the last
  float place;     // of the lower one, which need not exist

  // How far a pixel is on the way from the lower to the higher logit.
  TAGCLIP_HOST_DEVICE float fraction(const Stretch& stretch, int pixel) const {
    return stretch.place(pixel) - place;
  }
};

// half 0: towards the logit before; 1: towards the one after.
TAGCLIP_HOST_DEVICE inline HalfFootprint half_footprint(const Stretch& stretch, int logit,
                                                        int half) {
  const auto start = static_cast<float>(logit);
  const int middle = stretch.first_at(start + 0.5f);
  if (half == 0) {
    const int low = logit > 0 ? logit - 1 : 0;
    return {stretch.first_at(start), middle, low, logit, start - 0.5f};
  }
  const bool last = logit + 1 == stretch.inputs;
  return {middle, last ? stretch.outputs : stretch.first_at(start + 1), logit,
          last ? logit : logit + 1, start + 0.5f};
}

}  // namespace tagclip
