#pragma once

#include <cstdint>
#include <vector>

#include "infer/photo_encoder.h"

namespace tagclip {

struct FrameOptions {
  // A window is encoded again where a patch of it differs from the one that was encoded by more
  // than this, in the mean of its pixels; 0 to 255. Negative: always.
  double unchanged = 2;
  // The share of the frames before in an encoding, 0 to less than 1: labels then flicker less, and
  // follow later.
  double smoothing = 0;
};

// Encodes the frames of a video, one after the other: windows that have not changed keep their
// encoding.
class FrameEncoder {
 public:
  FrameEncoder(PhotoEncoder encoder, const FrameOptions& options)
      : encoder_(std::move(encoder)), options_(options) {}

  // Throws as PhotoEncoder.
  EncodedPhoto operator()(const Image& frame, StageTimes& times);

  int64_t windows() const { return windows_; }  // of all frames so far
  int64_t encoded() const { return encoded_; }  // those of them that were encoded

 private:
  // What is kept of a view of the frames.
  struct ViewState {
    Encoding last;             // as encoded, not smoothed
    std::vector<Image> shown;  // what each window held when it was encoded
    Encoding mean;             // of the frames so far
  };

  void encode(const Image& frame, EncodedView& view, ViewState& state, StageTimes& times);
  void smooth(Encoding& now, ViewState& state) const;

  PhotoEncoder encoder_;
  FrameOptions options_;
  Size size_;                     // of the frame before
  std::vector<ViewState> views_;  // of frames of that size
  int64_t windows_ = 0, encoded_ = 0;
};

// The largest mean difference of a patch of two images of one size, 0 to 255.
double largest_change(const Image& a, const Image& b, int patch);

}  // namespace tagclip
