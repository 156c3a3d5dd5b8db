#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>

#include "clip/clip.h"
#include "clip/fingerprint.h"
#include "kernels/blend/blend.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// A model that segments is an encoder of images, a decoder of masks, and the semantics of its
// scores. Each is immutable and safe to use from several threads. Another model implements
// PatchEncoder and MaskDecoder, each with one function.

// E and h of the paper, unit vectors, which depend on no class words.
struct Encoding {
  at::Tensor patches;  // E: [B, N, d], row-major over the grid
  at::Tensor image;    // h: [B, d]
  int64_t height = 0;  // H' = height of the pixels / patch
  int64_t width = 0;   // N = height * width
};

// Returns the encoding of what a tower projects pixels [B, 3, H, W] to, tokens [B, 1 + N, d]: class
// token and patches, L2-normalised.
Encoding encoding_of(const at::Tensor& tokens, const at::Tensor& pixels, int64_t patch);

// Holds the mask logits of a batch at patch resolution.
struct MaskLogits {
  at::Tensor classes;   // [B, C, H', W']
  at::Tensor trusty;    // [B, 1, H', W']; undefined without a trusty token
  at::Tensor presence;  // [B, C], logits of P (Eq. 7); undefined but in the paper's protocol
};

// Describes sliding windows where the settings leave them to the model.
struct WindowSizes {
  double window = 0;      // pixels
  double stride = 1;      // in windows
  double short_side = 1;  // of the resized image, in windows
  // Whether one window covers the photo instead. `window` then measures the short side alone.
  bool whole_photo = false;
};

// Tells what a model's logits mean as scores.
struct ScoreSemantics {
  ScoreActivation activation = ScoreActivation::kSigmoid;
  bool trusty_means_seen = false;  // see ScoreRule
  // True if seen classes of an inductively trained model are subject to calibrated stacking.
  bool calibrated_stacking = true;
  // By what the scores of labels are made less sure, for seen and novel classes; see Calibration.
  double seen_temperature = 1, novel_temperature = 1;
};

struct EncoderInfo {
  at::Device device = at::kCPU;      // where pixels must be, and encodings are
  ClipConfig clip;                   // sizes: patch, embedding, resolution, ...
  PixelNormalization normalization;  // of the pixels
  WindowSizes windows;
  // Patches that attend to each other, whose attention the encoder holds at once; 0: no limit.
  int64_t max_patches = 0;
  bool joins_windows = false;  // whether EncodeOptions::joined may be set
  // Identifies everything that encodings depend on; see Fingerprint.
  std::shared_ptr<const Fingerprint> fingerprint;
};

// Tells an encoder what to do beside encoding its pixels.
struct EncodeOptions {
  // The corners of the windows, in pixels of the image they were cut from, where the batch is all
  // of one photo and the patches of all windows are to attend to each other in the last block.
  // Empty: each window stands alone.
  std::vector<WindowLayout::Corner> joined;
};

class PatchEncoder {
 public:
  explicit PatchEncoder(EncoderInfo info) : info(std::move(info)) {}
  PatchEncoder(const PatchEncoder&) = delete;
  PatchEncoder& operator=(const PatchEncoder&) = delete;
  virtual ~PatchEncoder() = default;

  // Encodes normalised pixels [B, 3, H, W] with sides of at least a patch. Pixels beyond whole
  // patches are not read.
  virtual Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const = 0;
  Encoding operator()(const at::Tensor& pixels) const { return (*this)(pixels, {}); }

  // Builds the same encoder with its weights packed for a precision; see `packed`. It holds the
  // weights for itself and is to be called once: weights that nobody else holds are freed one by
  // one while they are packed, so that they are never all in memory twice. nullptr: this encoder
  // has nothing to pack and computes in float32.
  using Packer = std::function<std::shared_ptr<const PatchEncoder>(GemmPrecision)>;
  virtual Packer packer() const { return nullptr; }

  const EncoderInfo info;
};

// Tells a decoder what to do beside decoding its input.
struct DecodeOptions {
  // True if a decoder that has a trusty token adds it to its queries. Without it there is no trusty
  // map, and self-attention sees the C rows of the text alone (Table 3 as released).
  bool trusty_token = true;
  // What cosines are multiplied with, where a decoder compares nothing but them; 0: its own.
  double logit_scale = 0;
};

class MaskDecoder {
 public:
  virtual ~MaskDecoder() = default;

  // Returns mask logits of C classes from their text embeddings [C, d], unit rows.
  virtual MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                                const DecodeOptions& options) const = 0;
};

struct DenseModel {
  std::shared_ptr<const PatchEncoder> encoder;
  std::shared_ptr<const MaskDecoder> decoder;
  ScoreSemantics scoring;
};

// Returns the model with its encoder's weights packed for a precision, on CPUs. The model handed in
// should be the only one that holds the weights: they are held twice otherwise. Throws
// Error(kUsage) where the precision does not run on the encoder's device, or the encoder has
// nothing to pack and the precision is not float32.
DenseModel packed(DenseModel model, GemmPrecision precision);

}  // namespace tagclip
