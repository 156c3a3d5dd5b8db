#include "infer/photo_encoder.h"

#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/error.h"
#include "data/normalise.h"
#include "data/resize.h"
#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int64_t kPixelsAtOnce = 1 << 20;  // of the windows that go through the model together
constexpr int64_t kMaxEncodingBytes = 4LL << 30;

WindowOptions without_defaults(WindowOptions options, const DenseModel& model) {
  const WindowSizes sizes = model.window_sizes();
  if (options.window == 0) options.window = sizes.window;
  const auto scaled = [&](double windows) {
    return std::max(1L, std::lround(windows * static_cast<double>(options.window)));
  };
  if (options.stride == 0) options.stride = scaled(sizes.stride);
  if (options.short_side == 0) options.short_side = scaled(sizes.short_side);
  const int64_t patch = model.clip_config().patch;
  const auto check_side = [&](const char* name, int64_t side) {
    if (side >= patch && side <= std::numeric_limits<int>::max()) return;
    throw usage_error(
        c10::str("the ", name, " is ", side, " pixels; the model's patches are ", patch));
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
at::Tensor pixels_of(const Image& picture, std::span<const CropBox> windows, Colours colours) {
  Normalisation normalisation;
  const ColourNumbers numbers = colour_numbers(colours);
  for (size_t c = 0; c < 3; ++c) {
    normalisation.mean[c] = 255 * numbers.mean[c];
    normalisation.deviation[c] = 255 * numbers.deviation[c];
  }
  const Size size{windows[0].width, windows[0].height};
  at::Tensor pixels = at::empty({static_cast<int64_t>(windows.size()), 3, size.height, size.width});
  float* to = pixels.data_ptr<float>();
  for (const CropBox& window : windows) {
    normalise_into(crop(picture, window), normalisation, size, to);
    to += 3 * int64_t{size.width} * size.height;
  }
  return pixels;
}

Encoding joined(const std::vector<Encoding>& parts) {
  Encoding result = parts.front();
  if (parts.size() == 1) return result;
  std::vector<at::Tensor> patches, images;
  for (const Encoding& part : parts) {
    patches.push_back(part.patches);
    images.push_back(part.image);
  }
  result.patches = at::cat(patches);
  result.image = at::cat(images);
  return result;
}

}  // namespace

void finish(at::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type())
      .synchronizeDevice(device.has_index() ? device.index() : 0);
}

size_t windows_at_once(const CropBox& window) {
  return static_cast<size_t>(
      std::max<int64_t>(1, kPixelsAtOnce / (int64_t{window.width} * window.height)));
}

void lay_out(EncodedPhoto& photo, const WindowOptions& options) {
  photo.options = options;
  photo.picture = cover_short_side(photo.photo, static_cast<int>(options.short_side));
  photo.windows = window_grid(photo.picture, static_cast<int>(options.window),
                              static_cast<int>(options.stride));
}

PhotoEncoder::PhotoEncoder(const DenseModel& model, const WindowOptions& options)
    : model_(model), options_(without_defaults(options, model)) {}

void PhotoEncoder::check_memory(const std::vector<CropBox>& windows) const {
  const ClipConfig& clip = model_.clip_config();
  const double patches = static_cast<double>(windows[0].width) * windows[0].height /
                         static_cast<double>(clip.patch * clip.patch);
  const double floats = patches * static_cast<double>(clip.embedding) * windows.size();
  if (floats * sizeof(float) <= kMaxEncodingBytes) return;
  throw bad_input(c10::str("the photo needs ", windows.size(), " windows, too many to hold"),
                  "cut the photo into pieces");
}

EncodedPhoto PhotoEncoder::operator()(const Image& photo, StageTimes& times) const {
  const c10::InferenceMode no_gradients;
  EncodedPhoto result;
  result.photo = {photo.width, photo.height};
  lay_out(result, options_);
  check_memory(result.windows);

  Stopwatch watch;
  const Image picture = resized_to(photo, result.picture);
  times.prepare += watch.lap();
  const at::Device device = model_.device();
  std::vector<Encoding> parts;
  for (std::span<const CropBox> rest = result.windows; !rest.empty();) {
    const size_t n = std::min(rest.size(), windows_at_once(rest[0]));
    const at::Tensor pixels = pixels_of(picture, rest.first(n), model_.colours());
    times.prepare += watch.lap();
    parts.push_back(model_.encode(pixels.to(device)));
    finish(device);
    times.encode += watch.lap();
    rest = rest.subspan(n);
  }
  result.encoding = joined(parts);
  return result;
}

}  // namespace tagclip
