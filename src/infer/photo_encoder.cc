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

// Of the windows that go through the model together.
constexpr int64_t kPixelsAtOnce = 1 << 20, kGpuPixelsAtOnce = 1 << 23;
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

// A window of one of several pictures.
struct PictureWindow {
  size_t picture;
  CropBox box;
};

Size size_of(const PictureWindow& window) { return {window.box.width, window.box.height}; }

// As many of the first windows, all of one size, as go through the model together.
std::span<const PictureWindow> first_batch(std::span<const PictureWindow> windows,
                                           at::Device device) {
  const size_t most = std::min(windows.size(), windows_at_once(windows[0].box, device));
  size_t n = 1;
  while (n < most && size_of(windows[n]) == size_of(windows[0])) ++n;
  return windows.first(n);
}

// Normalised pixels [n, 3, h, w] of the windows.
at::Tensor pixels_of(const std::vector<Image>& pictures, std::span<const PictureWindow> windows,
                     Colours colours) {
  Normalisation normalisation;
  const ColourNumbers numbers = colour_numbers(colours);
  for (size_t c = 0; c < 3; ++c) {
    normalisation.mean[c] = 255 * numbers.mean[c];
    normalisation.deviation[c] = 255 * numbers.deviation[c];
  }
  const Size size = size_of(windows[0]);
  at::Tensor pixels = at::empty({static_cast<int64_t>(windows.size()), 3, size.height, size.width});
  float* to = pixels.data_ptr<float>();
  for (const auto& [picture, box] : windows) {
    normalise_into(crop(pictures[picture], box), normalisation, size, to);
    to += 3 * int64_t{size.width} * size.height;
  }
  return pixels;
}

// Gives each picture its rows of a batch.
void hand_out(const Encoding& batch, std::span<const PictureWindow> windows,
              std::vector<std::vector<Encoding>>& parts) {
  for (size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    while (end < windows.size() && windows[end].picture == windows[begin].picture) ++end;
    const auto first = static_cast<int64_t>(begin), rows = static_cast<int64_t>(end - begin);
    parts[windows[begin].picture].push_back({batch.patches.narrow(0, first, rows),
                                             batch.image.narrow(0, first, rows), batch.height,
                                             batch.width});
  }
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

size_t windows_at_once(const CropBox& window, at::Device device) {
  const int64_t pixels = device.is_cpu() ? kPixelsAtOnce : kGpuPixelsAtOnce;
  return static_cast<size_t>(
      std::max<int64_t>(1, pixels / (int64_t{window.width} * window.height)));
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

EncodedPhoto PhotoEncoder::lay_out_windows(const Image& photo) const {
  EncodedPhoto result;
  result.photo = {photo.width, photo.height};
  lay_out(result, options_);
  check_memory(result.windows);
  return result;
}

EncodedPhoto PhotoEncoder::operator()(const Image& photo, StageTimes& times) const {
  return std::move((*this)(std::span(&photo, 1), times).front());
}

std::vector<EncodedPhoto> PhotoEncoder::operator()(std::span<const Image> photos,
                                                   StageTimes& times) const {
  const c10::InferenceMode no_gradients;
  std::vector<EncodedPhoto> results;
  for (const Image& photo : photos) results.push_back(lay_out_windows(photo));

  Stopwatch watch;
  std::vector<Image> pictures;
  std::vector<PictureWindow> windows;
  for (size_t i = 0; i < photos.size(); ++i) {
    pictures.push_back(resized_to(photos[i], results[i].picture));
    for (const CropBox& box : results[i].windows) windows.push_back({i, box});
  }
  times.prepare += watch.lap();
  const at::Device device = model_.device();
  std::vector<std::vector<Encoding>> parts(photos.size());
  for (std::span<const PictureWindow> rest = windows; !rest.empty();) {
    const std::span<const PictureWindow> batch = first_batch(rest, device);
    const at::Tensor pixels = pixels_of(pictures, batch, model_.colours());
    times.prepare += watch.lap();
    hand_out(model_.encode(pixels.to(device)), batch, parts);
    finish(device);
    times.encode += watch.lap();
    rest = rest.subspan(batch.size());
  }
  for (size_t i = 0; i < photos.size(); ++i) results[i].encoding = joined(parts[i]);
  return results;
}

}  // namespace tagclip
