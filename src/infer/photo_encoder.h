#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/image_ops.h"
#include "image/image.h"
#include "infer/options.h"
#include "infer/stage_times.h"
#include "kernels/blend/blend.h"
#include "model/dense_model.h"

namespace tagclip {

// The sizes a photo is resized to and the sliding windows it is cut into; pixels, all positive.
struct WindowGrid {
  int window = 0;
  int stride = 0;
  int short_side = 0;
  bool joined = false;  // see InferenceOptions::join_windows
  // The short side at each of InferenceOptions::scales.
  std::vector<int> short_sides = {};
  bool flip = false;  // see InferenceOptions::flip
  friend bool operator==(const WindowGrid&, const WindowGrid&) = default;
};

// The options' window, stride and short side, with the model's own where they are 0. Scaled short
// sides are whole patches. Throws Error(kUsage) when the window or a short side is smaller than a
// patch, the stride larger than the window, windows are to be joined by an encoder that does not,
// there are more than 8 scales or one comes twice.
WindowGrid window_grid(const InferenceOptions& options, const DenseModel& model);

// The sliding windows over an image of `size`, row by row (spec section 7.1): `window` wide and
// high, `stride` apart, the last of a row or column moved back to lie flush with the border. A side
// shorter than the window is covered by one window of that length, so a window larger than the
// image covers it at once. `window` and `stride` are positive.
std::vector<CropBox> sliding_windows(Size size, int window, int stride);

// The same for `blend`. All boxes must be of one size.
WindowLayout layout_of(const std::vector<CropBox>& windows, Size size);

// The photo resized one way, encoded window by window.
struct EncodedView {
  Size resized_size;             // of the image that the windows are cut from
  bool mirrored = false;         // that image is the mirror image
  std::vector<CropBox> windows;  // K, all of one size
  Encoding encoding = {};        // of all windows; B = K
};

// A photo encoded before any word is asked for.
struct EncodedPhoto {
  WindowGrid grid;                          // what it was made with
  Size original_size;                       // the photo's
  std::vector<EncodedView> views;           // one, but for test-time augmentation
  std::shared_ptr<const Image> photo = {};  // whose edges refine the labels

  size_t window_count() const;  // of all views
};

// A photo of that size without its encoding: the sizes and windows alone, of each scale the plain
// view and then the mirrored one. Throws Error(kBadInput) for a photo that is too long and thin.
EncodedPhoto plan_windows(Size original_size, const WindowGrid& grid);

// The digest of a photo's pixels and size, as hexadecimal digits.
std::string photo_digest(const Image& photo);

// Waits for a GPU, so that the next stage is not charged for this one.
void finish(at::Device device);

// The number of windows of this size that go through a model on `device` together.
size_t windows_per_batch(const CropBox& window, at::Device device);

// Throws Error(kStopped) where the caller asks to stop.
void check_stop(const Hooks& hooks);

// A window of one of several resized images.
struct ImageWindow {
  size_t image;
  CropBox box;
};

// The words-free half of sliding-window inference (spec section 7). Safe to use from several
// threads.
class PhotoEncoder {
 public:
  // Throws as window_grid.
  PhotoEncoder(DenseModel model, const InferenceOptions& options)
      : model_(std::move(model)), grid_(window_grid(options, model_)) {}

  // Throws Error(kBadInput) for a photo that is too long and thin to hold its windows in memory.
  EncodedPhoto operator()(const Image& photo, StageTimes& times) const;
  // The same for several photos, whose windows go through the model together; `times` are for all.
  // Throws Error(kStopped), too, between two batches of windows.
  std::vector<EncodedPhoto> operator()(std::span<const Image> photos, StageTimes& times,
                                       const Hooks& hooks = {}) const;
  // The parts of it, for those who encode some of the windows: a photo's windows without their
  // encoding, the image that those of a view are cut from, and the encoding of those of these
  // numbers, in their order. Throw as above.
  EncodedPhoto plan(const Image& photo) const;
  Image resize(const Image& photo, const EncodedView& planned) const;
  Encoding encode(const Image& resized, const EncodedView& planned, std::span<const size_t> windows,
                  StageTimes& times) const;
  // The number of photos worth encoding together: the windows of one do not fill a GPU.
  size_t photos_per_batch() const { return model_.encoder->info.device.is_cpu() ? 1 : 8; }

  const WindowGrid& grid() const { return grid_; }
  const ClipConfig& clip_config() const { return model_.encoder->info.clip; }

 private:
  // Returns the encoding of each image's windows; `planned` are the views of the images.
  std::vector<Encoding> encode(std::span<const Image> images, std::span<const ImageWindow> windows,
                               std::span<const EncodedView* const> planned, StageTimes& times,
                               const Hooks& hooks) const;

  DenseModel model_;
  WindowGrid grid_;
};

}  // namespace tagclip
