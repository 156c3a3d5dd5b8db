#include "infer/frame_encoder.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace tagclip {
namespace {

// Frames whose encodings are less alike than this show another scene, in the cosine of a window's
// summary: smoothing begins anew.
constexpr double kSameScene = 0.8;

at::Tensor unit(const at::Tensor& vectors) {
  return vectors / vectors.norm(2, -1, true).clamp_min(1e-12);
}

}  // namespace

double largest_change(const Image& a, const Image& b, int patch) {
  TAGCLIP_CHECK(a.width == b.width && a.height == b.height, "two images of one size");
  double largest = 0;
  for (int top = 0; top < a.height; top += patch) {
    for (int left = 0; left < a.width; left += patch) {
      const int bottom = std::min(a.height, top + patch), right = std::min(a.width, left + patch);
      int64_t sum = 0;
      for (int y = top; y < bottom; ++y) {
        const size_t begin = (static_cast<size_t>(y) * a.width + left) * 3;
        const size_t end = (static_cast<size_t>(y) * a.width + right) * 3;
        for (size_t i = begin; i < end; ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
      }
      const int64_t count = int64_t{3} * (bottom - top) * (right - left);
      largest = std::max(largest, static_cast<double>(sum) / static_cast<double>(count));
    }
  }
  return largest;
}

EncodedPhoto FrameEncoder::operator()(const Image& frame, StageTimes& times) {
  const c10::InferenceMode no_gradients;
  EncodedPhoto photo = encode(frame, times);
  if (options_.smoothing > 0) smooth(photo);
  return photo;
}

EncodedPhoto FrameEncoder::encode(const Image& frame, StageTimes& times) {
  Stopwatch watch;
  EncodedPhoto next = encoder_.plan(frame);
  const Image resized = encoder_.resize(frame, next);
  std::vector<Image> shown;
  for (const CropBox& box : next.windows) shown.push_back(crop(resized, box));
  const bool is_first = last_.original_size != next.original_size;
  const int patch = static_cast<int>(encoder_.clip_config().patch);
  std::vector<size_t> changed;
  for (size_t k = 0; k < shown.size(); ++k) {
    if (is_first || largest_change(shown[k], shown_[k], patch) > options_.unchanged) {
      changed.push_back(k);
    }
  }
  // Windows that are joined see each other.
  if (next.grid.joined && !changed.empty()) {
    changed.resize(shown.size());
    for (size_t k = 0; k < shown.size(); ++k) changed[k] = k;
  }
  times.prepare += watch.lap();

  windows_ += std::ssize(shown);
  encoded_ += std::ssize(changed);
  if (changed.empty()) {
    next.encoding = last_.encoding;
  } else {
    next.encoding = encoder_.encode(resized, next, changed, times);
    if (changed.size() < shown.size()) {
      std::vector<int64_t> rows(changed.begin(), changed.end());
      const at::Tensor index = at::tensor(rows, at::kLong).to(next.encoding.patches.device());
      next.encoding.patches = last_.encoding.patches.index_copy(0, index, next.encoding.patches);
      next.encoding.image = last_.encoding.image.index_copy(0, index, next.encoding.image);
    }
    if (is_first) shown_.resize(shown.size());
    for (const size_t k : changed) shown_[k] = std::move(shown[k]);
  }
  last_ = next;
  next.photo = std::make_shared<Image>(frame);
  return next;
}

void FrameEncoder::smooth(EncodedPhoto& photo) {
  Encoding& now = photo.encoding;
  const bool is_same = mean_.patches.defined() && mean_.patches.sizes() == now.patches.sizes() &&
                       (mean_.image * now.image).sum(-1).mean().item<double>() >= kSameScene;
  if (is_same) {
    now.patches = unit(at::lerp(now.patches, mean_.patches, options_.smoothing));
    now.image = unit(at::lerp(now.image, mean_.image, options_.smoothing));
  }
  mean_ = now;
}

}  // namespace tagclip
