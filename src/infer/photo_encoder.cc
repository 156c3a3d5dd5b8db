#include "infer/photo_encoder.h"

#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "clip/fingerprint.h"
#include "data/image_ops.h"

namespace tagclip {
namespace {

// Pixels of the windows that go through the model together.
constexpr int64_t kPixelsPerBatch = 1 << 20, kGpuPixelsPerBatch = 1 << 23;
constexpr int64_t kMaxEncodingBytes = 4LL << 30;
// A window that covers any photo.
constexpr int kWholePhoto = 1 << 20;

constexpr size_t kMostScales = 8;

// The short side at each scale. Scaled ones are whole patches, so that no border is left out.
std::vector<int> scaled_sides(const std::vector<double>& scales, int short_side, int patch) {
  if (scales.empty() || scales.size() > kMostScales) {
    throw usage_error(
        fmt::format("`scales` holds {} numbers: expected 1 to {}", scales.size(), kMostScales));
  }
  std::vector<int> sides;
  for (const double scale : scales) {
    const double side = scale * short_side;
    if (side < patch) {
      throw usage_error(
          fmt::format("the scale {} makes the `short_side` {:.0f} pixels; the model's "
                      "patches are {}",
                      scale, side, patch),
          "leave it out of `scales`");
    }
    sides.push_back(scale == 1 ? short_side : static_cast<int>(std::lround(side / patch)) * patch);
    if (std::ranges::count(sides, sides.back()) == 1) continue;
    throw usage_error(fmt::format("two of `scales` resize photos to the same short side of {} "
                                  "pixels",
                                  sides.back()),
                      "leave one of them out");
  }
  return sides;
}

// The first pixels of the windows along a side of that length.
std::vector<int> window_starts(int length, int window, int stride) {
  std::vector<int> starts;
  int64_t at = 0;
  for (; at + window < length; at += stride) starts.push_back(static_cast<int>(at));
  starts.push_back(std::max(0, length - window));
  return starts;
}

Size size_of(const ImageWindow& window) { return {window.box.width, window.box.height}; }

// Takes as many of the first windows, all of one size, as go through the model together: all of one
// image where they are joined.
std::span<const ImageWindow> take_batch(std::span<const ImageWindow> windows, bool joined,
                                        at::Device device) {
  if (joined) {
    const auto is_other = [&](const ImageWindow& w) { return w.image != windows[0].image; };
    return {windows.begin(), std::ranges::find_if(windows, is_other)};
  }
  const size_t most = std::min(windows.size(), windows_per_batch(windows[0].box, device));
  size_t n = 1;
  while (n < most && size_of(windows[n]) == size_of(windows[0])) ++n;
  return windows.first(n);
}

// Normalised pixels [n, 3, h, w] of the windows.
at::Tensor pixels_of(std::span<const Image> images, std::span<const ImageWindow> windows,
                     const PixelNormalization& normalization) {
  const Size size = size_of(windows[0]);
  at::Tensor pixels = at::empty({static_cast<int64_t>(windows.size()), 3, size.height, size.width});
  float* to = pixels.data_ptr<float>();
  for (const auto& [image, box] : windows) {
    normalize_into(crop(images[image], box), normalization, size, to);
    to += 3 * int64_t{size.width} * size.height;
  }
  return pixels;
}

// Appends to the parts of each image the rows of the batch that are its own.
void scatter_batch(const Encoding& batch, std::span<const ImageWindow> windows,
                   std::vector<std::vector<Encoding>>& parts) {
  for (size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    while (end < windows.size() && windows[end].image == windows[begin].image) ++end;
    const auto first = static_cast<int64_t>(begin), rows = static_cast<int64_t>(end - begin);
    parts[windows[begin].image].push_back({batch.patches.narrow(0, first, rows),
                                           batch.image.narrow(0, first, rows), batch.height,
                                           batch.width});
  }
}

Encoding concat(const std::vector<Encoding>& parts) {
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

double patches_of(const CropBox& window, const EncoderInfo& encoder) {
  return static_cast<double>(window.width) * window.height /
         static_cast<double>(encoder.clip.patch * encoder.clip.patch);
}

void check_patches(const std::vector<CropBox>& windows, bool joined, const EncoderInfo& encoder) {
  const double patches = patches_of(windows[0], encoder);
  const auto most = static_cast<double>(encoder.max_patches);
  const auto count = static_cast<double>(windows.size());
  if (joined && patches * count > most) {
    throw bad_input(
        fmt::format(
            "{} windows have {:.0f} patches, too many to compare with each other: at most {}",
            windows.size(), patches * count, encoder.max_patches),
        "leave out `join_windows`, or set a smaller `short_side` or smaller `scales`");
  }
  if (encoder.max_patches > 0 && patches > most) {
    throw bad_input(
        fmt::format("a window of {}x{} has {:.0f} patches, too many to compare with each "
                    "other: at most {}",
                    windows[0].width, windows[0].height, patches, encoder.max_patches),
        "set a smaller `window`");
  }
}

void check_memory(const EncodedPhoto& photo, const EncoderInfo& encoder) {
  double floats = 0;
  for (const EncodedView& view : photo.views) {
    check_patches(view.windows, photo.grid.joined, encoder);
    floats += patches_of(view.windows[0], encoder) * static_cast<double>(encoder.clip.embedding) *
              static_cast<double>(view.windows.size());
  }
  if (floats * sizeof(float) <= kMaxEncodingBytes) return;
  throw bad_input(fmt::format("the photo needs {} windows, too many to hold", photo.window_count()),
                  photo.views.size() == 1 ? "cut the photo into pieces"
                                          : "cut the photo into pieces, or set smaller `scales`");
}

}  // namespace

WindowGrid window_grid(const InferenceOptions& options, const DenseModel& model) {
  const WindowSizes sizes = model.encoder->info.windows;
  WindowGrid grid{.window = options.window,
                  .stride = options.stride,
                  .short_side = options.short_side,
                  .joined = options.join_windows,
                  .flip = options.flip};
  if (grid.joined && !model.encoder->info.joins_windows) {
    throw usage_error(
        "`join_windows` has no effect in this mode",
        "it is for a CLIP as it is, cut into windows, in a mode whose patches attend to each "
        "other: all but maskclip and quick");
  }
  const bool whole_photo = sizes.whole_photo && grid.window == 0;
  if (grid.window == 0) grid.window = static_cast<int>(std::lround(sizes.window));
  const auto windows = [&](double count) {
    return std::max(1, static_cast<int>(std::lround(count * grid.window)));
  };
  if (grid.short_side == 0) grid.short_side = windows(sizes.short_side);
  if (whole_photo) grid.window = kWholePhoto;
  if (grid.stride == 0) grid.stride = whole_photo ? kWholePhoto : windows(sizes.stride);
  const int64_t patch = model.encoder->info.clip.patch;
  const auto check_side = [&](const char* setting, int side) {
    if (side >= patch) return;
    throw usage_error(
        fmt::format("`{}` is {} pixels; the model's patches are {}", setting, side, patch));
  };
  check_side("window", grid.window);
  check_side("short_side", grid.short_side);
  if (grid.stride < 1 || grid.stride > grid.window) {
    throw usage_error(fmt::format("a `stride` of {} pixels leaves gaps between windows of {}",
                                  grid.stride, grid.window));
  }
  grid.short_sides = scaled_sides(options.scales, grid.short_side, static_cast<int>(patch));
  return grid;
}

size_t EncodedPhoto::window_count() const {
  size_t count = 0;
  for (const EncodedView& view : views) count += view.windows.size();
  return count;
}

std::vector<CropBox> sliding_windows(Size size, int window, int stride) {
  TAGCLIP_CHECK(window > 0 && stride > 0, "windows have a size and a stride");
  std::vector<CropBox> boxes;
  for (const int y : window_starts(size.height, window, stride)) {
    for (const int x : window_starts(size.width, window, stride)) {
      boxes.push_back({x, y, std::min(window, size.width), std::min(window, size.height)});
    }
  }
  return boxes;
}

WindowLayout layout_of(const std::vector<CropBox>& windows, Size size) {
  WindowLayout layout{.resized = {size.height, size.width},
                      .window = {windows.at(0).height, windows.at(0).width}};
  for (const CropBox& box : windows) {
    TAGCLIP_CHECK(box.width == windows[0].width && box.height == windows[0].height,
                  "windows of one size");
    layout.corners.push_back({box.y, box.x});
  }
  return layout;
}

EncodedPhoto plan_windows(Size original_size, const WindowGrid& grid) {
  EncodedPhoto planned{.grid = grid, .original_size = original_size, .views = {}};
  for (const int side : grid.short_sides) {
    const Size resized = cover_short_side(original_size, side);
    EncodedView view{.resized_size = resized,
                     .windows = sliding_windows(resized, grid.window, grid.stride)};
    planned.views.push_back(view);
    if (!grid.flip) continue;
    view.mirrored = true;
    planned.views.push_back(std::move(view));
  }
  return planned;
}

std::string photo_digest(const Image& photo) {
  return fingerprint({at::from_blob(const_cast<uint8_t*>(photo.pixels.data()),
                                    {photo.height, photo.width, 3}, at::kByte)});
}

void finish(at::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type())
      .synchronizeDevice(device.has_index() ? device.index() : 0);
}

size_t windows_per_batch(const CropBox& window, at::Device device) {
  const int64_t pixels = device.is_cpu() ? kPixelsPerBatch : kGpuPixelsPerBatch;
  return static_cast<size_t>(
      std::max<int64_t>(1, pixels / (int64_t{window.width} * window.height)));
}

void check_stop(const Hooks& hooks) {
  if (hooks.stop_requested && hooks.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
}

EncodedPhoto PhotoEncoder::plan(const Image& photo) const {
  EncodedPhoto result = plan_windows({photo.width, photo.height}, grid_);
  check_memory(result, model_.encoder->info);
  return result;
}

EncodedPhoto PhotoEncoder::operator()(const Image& photo, StageTimes& times) const {
  return std::move((*this)(std::span(&photo, 1), times).front());
}

Image PhotoEncoder::resize(const Image& photo, const EncodedView& planned) const {
  const Size size{photo.width, photo.height};
  Image resized =
      size == planned.resized_size ? photo : resize_bilinear(photo, planned.resized_size);
  return planned.mirrored ? flip_horizontal(resized) : resized;
}

Encoding PhotoEncoder::encode(const Image& resized, const EncodedView& planned,
                              std::span<const size_t> windows, StageTimes& times) const {
  std::vector<ImageWindow> chosen;
  for (const size_t k : windows) chosen.push_back({0, planned.windows[k]});
  const EncodedView* view = &planned;
  return encode(std::span(&resized, 1), chosen, std::span(&view, 1), times, {}).front();
}

std::vector<EncodedPhoto> PhotoEncoder::operator()(std::span<const Image> photos, StageTimes& times,
                                                   const Hooks& hooks) const {
  std::vector<EncodedPhoto> results;
  for (const Image& photo : photos) results.push_back(plan(photo));
  Stopwatch watch;
  std::vector<Image> images;
  std::vector<EncodedView*> views;  // of the images
  std::vector<ImageWindow> windows;
  for (size_t i = 0; i < photos.size(); ++i) {
    for (EncodedView& view : results[i].views) {
      for (const CropBox& box : view.windows) windows.push_back({images.size(), box});
      images.push_back(resize(photos[i], view));
      views.push_back(&view);
    }
    results[i].photo = std::make_shared<Image>(photos[i]);
  }
  times.prepare += watch.lap();
  const std::vector<const EncodedView*> planned(views.begin(), views.end());
  std::vector<Encoding> encodings = encode(images, windows, planned, times, hooks);
  for (size_t v = 0; v < views.size(); ++v) views[v]->encoding = std::move(encodings[v]);
  return results;
}

std::vector<Encoding> PhotoEncoder::encode(std::span<const Image> images,
                                           std::span<const ImageWindow> windows,
                                           std::span<const EncodedView* const> planned,
                                           StageTimes& times, const Hooks& hooks) const {
  const c10::InferenceMode no_gradients;
  Stopwatch watch;
  const at::Device device = model_.encoder->info.device;
  std::vector<std::vector<Encoding>> parts(images.size());
  while (!windows.empty()) {
    check_stop(hooks);
    const std::span<const ImageWindow> batch = take_batch(windows, grid_.joined, device);
    const at::Tensor pixels = pixels_of(images, batch, model_.encoder->info.normalization);
    times.prepare += watch.lap();
    EncodeOptions options;
    if (grid_.joined) options.joined = layout_of(planned[batch[0].image]->windows, {}).corners;
    scatter_batch((*model_.encoder)(pixels.to(device), options), batch, parts);
    finish(device);
    times.encode += watch.lap();
    windows = windows.subspan(batch.size());
  }
  std::vector<Encoding> results;
  for (const std::vector<Encoding>& of_image : parts) results.push_back(concat(of_image));
  return results;
}

}  // namespace tagclip
