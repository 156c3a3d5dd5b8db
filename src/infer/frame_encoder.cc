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
  EncodedPhoto photo = encoder_.plan(frame);
  photo.photo = std::make_shared<Image>(frame);
  views_.resize(photo.views.size());
  for (size_t v = 0; v < views_.size(); ++v) {
    EncodedView& view = photo.views[v];
    if (size_ != photo.original_size) views_[v].shown.clear();
    encode(frame, view, views_[v], times);
    if (options_.smoothing > 0) smooth(view.encoding, views_[v]);
  }
  size_ = photo.original_size;
  return photo;
}

void FrameEncoder::encode(const Image& frame, EncodedView& view, ViewState& state,
                          StageTimes& times) {
  Stopwatch watch;
  const Image resized = encoder_.resize(frame, view);
  std::vector<Image> shown;
  for (const CropBox& box : view.windows) shown.push_back(crop(resized, box));
  const bool is_first = state.shown.empty();
  const int patch = static_cast<int>(encoder_.clip_config().patch);
  std::vector<size_t> changed;
  for (size_t k = 0; k < shown.size(); ++k) {
    if (is_first || largest_change(shown[k], state.shown[k], patch) > options_.unchanged) {
      changed.push_back(k);
    }
  }
  // Windows that are joined see each other.
  if (encoder_.grid().joined && !changed.empty()) {
    changed.resize(shown.size());
    for (size_t k = 0; k < shown.size(); ++k) changed[k] = k;
  }
  times.prepare += watch.lap();

  windows_ += std::ssize(shown);
  encoded_ += std::ssize(changed);
  if (changed.size() == shown.size()) {
    state.last = encoder_.encode(resized, view, changed, times);
  } else if (!changed.empty()) {
    const Encoding some = encoder_.encode(resized, view, changed, times);
    std::vector<int64_t> rows(changed.begin(), changed.end());
    const at::Tensor index = at::tensor(rows, at::kLong).to(some.patches.device());
    state.last.patches = state.last.patches.index_copy(0, index, some.patches);
    state.last.image = state.last.image.index_copy(0, index, some.image);
  }
  view.encoding = state.last;
  state.shown.resize(shown.size());
  for (const size_t k : changed) state.shown[k] = std::move(shown[k]);
}

void FrameEncoder::smooth(Encoding& now, ViewState& state) const {
  const Encoding& mean = state.mean;
  const bool is_same = mean.patches.defined() && mean.patches.sizes() == now.patches.sizes() &&
                       (mean.image * now.image).sum(-1).mean().item<double>() >= kSameScene;
  if (is_same) {
    now.patches = unit(at::lerp(now.patches, mean.patches, options_.smoothing));
    now.image = unit(at::lerp(now.image, mean.image, options_.smoothing));
  }
  state.mean = now;
}

}  // namespace tagclip
