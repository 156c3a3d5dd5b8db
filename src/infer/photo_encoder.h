#pragma once

#include <span>
#include <vector>

#include "image/image.h"
#include "infer/windows.h"
#include "model/dense_model.h"

namespace tagclip {

// Zeros stand for the model's own sizes.
struct WindowOptions {
  int64_t window = 0;      // pixels
  int64_t stride = 0;      // pixels
  int64_t short_side = 0;  // photos are resized to it, keeping their ratio
};

// A photo as the model sees it, before any word is asked for.
struct EncodedPhoto {
  WindowOptions options;         // what it was made with, without zeros
  Size photo;                    // as it was
  Size picture;                  // resized, what the windows are cut from
  std::vector<CropBox> windows;  // all of one size
  Encoding encoding;             // of all windows; B is their number
};

// Seconds.
struct StageTimes {
  double prepare = 0;  // resize, crop, normalise
  double encode = 0;   // image encoder
  double decode = 0;   // decode head
  double blend = 0;    // logits to labels
};

// Waits for a GPU, so that the next stage is not charged for this one.
void finish(at::Device device);

// How many windows of this size go through a model on `device` together.
size_t windows_at_once(const CropBox& window, at::Device device);

// Fills in picture and windows of a photo whose size is known; `options` without zeros. Throws
// Error(kBadInput) for a photo that is too long and thin.
void lay_out(EncodedPhoto& photo, const WindowOptions& options);

// The words-free half of sliding-window inference (spec section 7). Safe to use from several
// threads.
class PhotoEncoder {
 public:
  // `model` must outlive it. Throws Error(kUsage) when the window or short side is smaller than a
  // patch, or the stride larger than the window.
  PhotoEncoder(const DenseModel& model, const WindowOptions& options);

  // Throws Error(kBadInput) for a photo that is too long and thin to hold its windows in memory.
  EncodedPhoto operator()(const Image& photo, StageTimes& times) const;
  // The same of several, whose windows go through the model together; `times` are for all.
  std::vector<EncodedPhoto> operator()(std::span<const Image> photos, StageTimes& times) const;
  // How many photos are worth being encoded together: a GPU is not filled by the windows of one.
  size_t photos_at_once() const { return model_.device().is_cpu() ? 1 : 8; }

  const WindowOptions& options() const { return options_; }  // without zeros
  const ClipConfig& clip_config() const { return model_.clip_config(); }

 private:
  EncodedPhoto lay_out_windows(const Image& photo) const;
  void check_memory(const std::vector<CropBox>& windows) const;

  const DenseModel& model_;
  WindowOptions options_;
};

}  // namespace tagclip
