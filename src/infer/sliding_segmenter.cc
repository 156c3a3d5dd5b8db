#include "infer/sliding_segmenter.h"

#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/normalise.h"
#include "data/resize.h"
#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int64_t kPixelsAtOnce = 1 << 20;  // of the windows that go through the model together
constexpr int64_t kMaxLogitBytes = 4LL << 30;

SlidingOptions without_defaults(SlidingOptions options, const ModelConfig& config) {
  if (options.window == 0) options.window = config.clip.resolution;
  if (options.stride == 0) options.stride = std::max(1L, std::lround(options.window * 426.0 / 512));
  if (options.short_side == 0) options.short_side = options.window;
  const auto check_side = [&](const char* name, int64_t side) {
    if (side >= config.clip.patch && side <= std::numeric_limits<int>::max()) return;
    throw usage_error(c10::str("the ", name, " is ", side, " pixels; the model's patches are ",
                               config.clip.patch));
  };
  check_side("window", options.window);
  check_side("short side", options.short_side);
  if (options.stride < 1 || options.stride > options.window) {
    throw usage_error(c10::str("a stride of ", options.stride,
                               " pixels leaves gaps between windows of ", options.window));
  }
  return options;
}

Image resized_to(const Image& photo, Size size) {
  return Size{photo.width, photo.height} == size ? photo : resize_bilinear(photo, size);
}

// Normalised pixels [n, 3, h, w] of the windows.
at::Tensor pixels_of(const Image& picture, std::span<const CropBox> windows) {
  const Size size{windows[0].width, windows[0].height};
  at::Tensor pixels = at::empty({static_cast<int64_t>(windows.size()), 3, size.height, size.width});
  float* to = pixels.data_ptr<float>();
  for (const CropBox& window : windows) {
    normalise_into(crop(picture, window), Normalisation(), size, to);
    to += 3 * int64_t{size.width} * size.height;
  }
  return pixels;
}

// Waits for a GPU, so that the next stage is not charged for this one.
void finish(at::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type())
      .synchronizeDevice(device.has_index() ? device.index() : 0);
}

at::Tensor joined(const std::vector<MaskLogits>& batches, at::Tensor MaskLogits::* part) {
  if (!(batches[0].*part).defined()) return {};
  std::vector<at::Tensor> parts;
  for (const MaskLogits& batch : batches) parts.push_back((batch.*part).cpu());
  return at::cat(parts);
}

bool all_finite(const WindowLogits& logits) {
  const auto finite = [](const at::Tensor& part) {
    return !part.defined() || part.isfinite().all().item<bool>();
  };
  return finite(logits.classes) && finite(logits.trusty) && finite(logits.presence);
}

void apply_threshold(double threshold, BestClass& best) {
  if (threshold <= 0) return;
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.scores[i] < threshold) best.labels[i] = kIgnore;
  }
}

std::vector<FoundClass> found_classes(const BestClass& best, size_t classes) {
  std::vector<int64_t> pixels(classes);
  std::vector<double> score_sum(classes);
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.labels[i] == kIgnore) continue;
    ++pixels[best.labels[i]];
    score_sum[best.labels[i]] += best.scores[i];
  }
  std::vector<FoundClass> found;
  for (size_t c = 0; c < classes; ++c) {
    if (pixels[c] == 0) continue;
    const auto count = static_cast<double>(pixels[c]);
    found.push_back({c, count / static_cast<double>(best.labels.size()), score_sum[c] / count});
  }
  std::ranges::stable_sort(found, std::greater(), &FoundClass::share);
  return found;
}

}  // namespace

SlidingSegmenter::SlidingSegmenter(const SegmentationModel& model, EmbeddedVocabulary vocabulary,
                                   const SlidingOptions& options)
    : model_(model),
      vocabulary_(std::move(vocabulary)),
      options_(without_defaults(options, model.config)),
      rule_(score_rule(vocabulary_.seen, vocabulary_.inductive, options_.weighting,
                       model.config.protocol)) {}

void SlidingSegmenter::check_memory(const std::vector<CropBox>& windows) const {
  const double patches = static_cast<double>(windows[0].width) * windows[0].height /
                         static_cast<double>(model_.config.clip.patch * model_.config.clip.patch);
  const auto logits = patches * static_cast<double>(windows.size() * vocabulary_.classes.size());
  if (logits * sizeof(float) <= kMaxLogitBytes) return;
  throw bad_input(c10::str("the photo needs ", windows.size(), " windows, too many for ",
                           vocabulary_.classes.size(), " classes"),
                  "cut the photo into pieces, or look for fewer classes");
}

WindowLogits SlidingSegmenter::encode_and_decode(const Image& picture,
                                                 const std::vector<CropBox>& windows,
                                                 StageTimes& times) const {
  const at::Device device = vocabulary_.embeddings.device();
  const int64_t at_once =
      std::max<int64_t>(1, kPixelsAtOnce / (int64_t{windows[0].width} * windows[0].height));
  std::vector<MaskLogits> batches;
  for (std::span<const CropBox> rest = windows; !rest.empty();) {
    const size_t n = std::min(rest.size(), static_cast<size_t>(at_once));
    Stopwatch watch;
    const at::Tensor pixels = pixels_of(picture, rest.first(n));
    times.prepare += watch.lap();
    const Encoding encoding = model_.encoder(pixels.to(device));
    finish(device);
    times.encode += watch.lap();
    batches.push_back(model_.head(encoding, vocabulary_.embeddings));
    finish(device);
    times.decode += watch.lap();
    rest = rest.subspan(n);
  }
  return {joined(batches, &MaskLogits::classes), joined(batches, &MaskLogits::trusty),
          joined(batches, &MaskLogits::presence)};
}

SegmentedPhoto SlidingSegmenter::operator()(const Image& photo) const {
  const c10::InferenceMode no_gradients;
  const Size photo_size{photo.width, photo.height};
  const Size size = cover_short_side(photo_size, static_cast<int>(options_.short_side));
  const std::vector<CropBox> windows =
      window_grid(size, static_cast<int>(options_.window), static_cast<int>(options_.stride));
  check_memory(windows);

  SegmentedPhoto result;
  Stopwatch watch;
  const Image picture = resized_to(photo, size);
  result.times.prepare = watch.lap();
  const WindowLogits logits = encode_and_decode(picture, windows, result.times);
  if (!all_finite(logits)) {
    throw bad_input("the model's output is not a number", "the weights are damaged");
  }
  watch.lap();
  BestClass best = blend(logits, layout_of(windows, size), rule_, {photo.height, photo.width});
  apply_threshold(options_.threshold, best);
  result.found = found_classes(best, vocabulary_.classes.size());
  const auto unlabelled = std::ranges::count(best.labels, kIgnore);
  result.unlabelled = static_cast<double>(unlabelled) / static_cast<double>(best.labels.size());
  result.labels = {photo.width, photo.height, std::move(best.labels)};
  result.scores = std::move(best.scores);
  result.times.blend = watch.lap();
  return result;
}

}  // namespace tagclip
