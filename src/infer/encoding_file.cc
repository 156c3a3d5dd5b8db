#include "infer/encoding_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "clip/weights.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr const char* kPatches = "patches";  // [K, N, d]
constexpr const char* kImage = "image";      // [K, d]
constexpr const char* kEntry = "tagclip.encoding";
constexpr const char* kEncodeAgain = "encode the photo again";

json to_json(const WindowGrid& grid) {
  json numbers = {grid.window, grid.stride, grid.short_side};
  if (grid.joined) numbers.push_back("joined");
  if (grid.short_sides != std::vector{grid.short_side}) numbers.push_back(grid.short_sides);
  if (grid.flip) numbers.push_back("flip");
  return numbers;
}

// The names of the tensors of view v; the first view's are those of a photo that has one.
std::string of_view(const char* name, size_t v) {
  return v == 0 ? name : fmt::format("{}.{}", name, v);
}

// The tensors are as large as the layout says.
bool fits(const EncodedView& view, const ClipConfig& clip) {
  const Encoding& encoding = view.encoding;
  const auto windows = static_cast<int64_t>(view.windows.size());
  return encoding.patches.dim() == 3 && encoding.image.dim() == 2 &&
         encoding.patches.size(0) == windows && encoding.image.size(0) == windows &&
         encoding.height == view.windows[0].height / clip.patch &&
         encoding.width == view.windows[0].width / clip.patch &&
         encoding.image.size(1) == clip.embedding &&
         encoding.patches.size(1) == encoding.height * encoding.width &&
         encoding.patches.size(2) == encoding.image.size(1) &&
         encoding.patches.scalar_type() == at::kFloat && encoding.image.scalar_type() == at::kFloat;
}

void check(const EncodedView& view, const ClipConfig& clip, const std::string& file) {
  if (!fits(view, clip)) {
    throw bad_input(file + ": the encoding is damaged: sizes do not fit together", kEncodeAgain);
  }
  if (!view.encoding.patches.isfinite().all().item<bool>() ||
      !view.encoding.image.isfinite().all().item<bool>()) {
    throw bad_input(file + ": the encoding is damaged: it holds what is not a number",
                    kEncodeAgain);
  }
}

}  // namespace

void write_encoding(const std::filesystem::path& path, const EncodedPhoto& encoded,
                    const Image& photo, const std::string& encoder) {
  const json entry = {
      {"encoder", encoder}, {"pixels", photo_digest(photo)}, {"windows", to_json(encoded.grid)}};
  std::map<std::string, at::Tensor> tensors;
  for (size_t v = 0; v < encoded.views.size(); ++v) {
    tensors.emplace(of_view(kPatches, v), encoded.views[v].encoding.patches);
    tensors.emplace(of_view(kImage, v), encoded.views[v].encoding.image);
  }
  save(path, tensors, {{kEntry, entry.dump()}});
}

EncodedPhoto read_encoding(const std::filesystem::path& path, const Image& photo,
                           const std::string& encoder, const WindowGrid& grid,
                           const ClipConfig& clip) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto stored = file.metadata().find(kEntry);
  if (stored == file.metadata().end()) {
    throw bad_input(path.string() + ": not the encoding of a photo", kEncodeAgain);
  }
  EncodedPhoto encoded = plan_windows({photo.width, photo.height}, grid);
  try {
    const json entry = parse_bounded_json(stored->second).value_or(json());
    if (entry.at("encoder") != encoder) {
      throw bad_input(
          path.string() + ": the encoding was made with other weights or in another mode",
          kEncodeAgain);
    }
    if (entry.at("pixels") != photo_digest(photo)) {
      throw bad_input(path.string() + ": the encoding is of another photo", kEncodeAgain);
    }
    if (entry.at("windows") != to_json(grid)) {
      throw bad_input(
          path.string() + ": the photo was cut up otherwise",
          "set `window`, `stride`, `short_side`, `join_windows`, `scales` and `flip` as it was "
          "encoded with, or encode the photo again");
    }
  } catch (const json::exception& error) {
    throw bad_input(
        fmt::format("{}: the metadata {} is damaged: {}", path.string(), kEntry, error.what()),
        kEncodeAgain);
  }
  const StateDict state = StateDict::from(file);
  for (size_t v = 0; v < encoded.views.size(); ++v) {
    EncodedView& view = encoded.views[v];
    view.encoding = {.patches = state.at(of_view(kPatches, v), 3),
                     .image = state.at(of_view(kImage, v), 2),
                     .height = view.windows[0].height / clip.patch,
                     .width = view.windows[0].width / clip.patch};
    check(view, clip, path.string());
  }
  encoded.photo = std::make_shared<Image>(photo);
  return encoded;
}

}  // namespace tagclip
