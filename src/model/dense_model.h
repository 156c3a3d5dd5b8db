#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "clip/clip.h"
#include "kernels/blend/blend.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// What is known of a photo before any word is asked for: unit vectors, E and h of the paper.
struct Encoding {
  at::Tensor patches;  // [B, N, d], row-major over the grid
  at::Tensor image;    // [B, d]
  int64_t height = 0;  // H' = pixels' height / patch
  int64_t width = 0;   // N = height * width
};

// What a model says about a batch of photos, always at patch resolution.
struct MaskLogits {
  at::Tensor classes;   // [B, C, H', W']
  at::Tensor trusty;    // [B, 1, H', W']; undefined without a trusty token
  at::Tensor presence;  // [B, C]: is the class in the photo; undefined but in the paper's protocol
};

// How photos are cut up where the user does not say.
struct WindowSizes {
  int64_t window = 0;     // pixels
  double stride = 1;      // in windows
  double short_side = 1;  // of the photo, in windows
};

// How a model's logits are to be read.
struct ScoreSemantics {
  ScoreActivation activation = ScoreActivation::kSigmoid;
  bool trusty_means_seen = false;  // see ScoreRule
  bool may_deduct = true;          // an inductive model's scores of seen classes are lowered
};

// What the caller may leave out of a decoder's queries.
struct DecodeOptions {
  bool trusty_token = true;  // whether a model that has one asks with it, too
};

// A model that tells the patches of photos apart by words: trained (SegmentationModel), or a CLIP
// as it is (DenseClip). Safe to use from several threads.
class DenseModel {
 public:
  virtual ~DenseModel() = default;

  // pixels [B, 3, H, W], normalised; the expensive part, which no word enters.
  virtual Encoding encode(const at::Tensor& pixels) const = 0;
  // text [C, d], unit rows.
  virtual MaskLogits decode(const Encoding& encoding, const at::Tensor& text,
                            const DecodeOptions& options) const = 0;

  // Another model with these weights; they are shared.
  virtual std::shared_ptr<DenseModel> clone() const = 0;
  // From now on `encode` reads the weights as packed for this precision, on CPUs. Those that they
  // were made of are let go one by one, and are freed where no other model shares them. Throws
  // Error(kUsage) where the precision does not run on the model's device.
  virtual void pack(GemmPrecision precision) = 0;
  std::shared_ptr<const DenseModel> packed(GemmPrecision precision) const {
    const std::shared_ptr<DenseModel> result = clone();
    result->pack(precision);
    return result;
  }

  virtual at::Device device() const = 0;
  virtual const ClipConfig& clip_config() const = 0;
  virtual const TextTower* text_tower() const = 0;  // nullptr where the weights hold none
  virtual Colours colours() const = 0;              // how `pixels` are to be normalised
  virtual ScoreSemantics scoring() const = 0;
  virtual WindowSizes window_sizes() const = 0;
  // Of all that `encode` depends on; see fingerprint().
  virtual std::string encoder_fingerprint() const = 0;
};

}  // namespace tagclip
