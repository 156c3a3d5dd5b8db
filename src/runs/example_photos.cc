#include "runs/example_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"
#include "data/geometry.h"
#include "data/resize.h"
#include "draw/class_colours.h"
#include "draw/palette.h"
#include "draw/view.h"

namespace tagclip {
namespace {

constexpr size_t kMaxPhotos = 8;
constexpr int kLongest = 400;  // pixels
constexpr ImageLimits kLimits{.max_pixels = 16 << 20};
constexpr std::string_view kPhotoEnd = ".photo.png";

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kPhotoEnd)) continue;
    names.insert(file.substr(0, file.size() - kPhotoEnd.size()));
    if (names.size() > kMaxPhotos) names.erase(std::prev(names.end()));
  }
  return names;
}

// Labels for `photo`, checked.
LabelMap read_labels(const std::filesystem::path& path, const Image& photo, size_t classes) {
  LabelMap map = read_label_map(path, kLimits);
  if (map.width != photo.width || map.height != photo.height) {
    throw bad_input(fmt::format("{}: expected the photo's {}x{} pixels, found {}x{}", path.string(),
                                photo.width, photo.height, map.width, map.height));
  }
  for (const uint16_t label : map.labels) {
    if (label < classes || label == kIgnore) continue;
    throw bad_input(
        fmt::format("{}: expected labels of {} classes, found {}", path.string(), classes, label));
  }
  return map;
}

class Reader {
 public:
  Reader(const std::filesystem::path& folder, size_t classes)
      : folder_(folder), classes_(classes), palette_(result_palette(classes)) {}

  ExamplePhoto read(const std::string& name) const {
    const Image full = read_image(folder_ / (name + std::string(kPhotoEnd)), kLimits);
    const int longest = std::max(full.width, full.height);
    const Size size = longest > kLongest ? fit_within({full.width, full.height}, kLongest, kLongest)
                                         : Size{full.width, full.height};
    ExamplePhoto example{.name = name,
                         .photo = view_of(full, size),
                         .prediction = {},
                         .truth = {},
                         .present = std::vector<bool>(classes_)};
    example.prediction = coloured(folder_ / (name + ".labels.png"), full, example);
    example.truth = coloured(folder_ / (name + ".truth.png"), full, example);
    return example;
  }

 private:
  // The small photo under these labels, which are noted as present.
  Image coloured(const std::filesystem::path& path, const Image& full,
                 ExamplePhoto& example) const {
    const LabelMap labels = read_labels(path, full, classes_);
    for (const uint16_t label : labels.labels) {
      if (label != kIgnore) example.present[label] = true;
    }
    Image view = example.photo;
    colour_classes(view, resize_nearest(labels, {view.width, view.height}), palette_);
    return view;
  }

  std::filesystem::path folder_;
  size_t classes_;
  std::vector<Colour> palette_;
};

}  // namespace

std::vector<ExamplePhoto> read_example_photos(const std::filesystem::path& folder, size_t classes) {
  const Reader reader(folder, classes);
  std::vector<ExamplePhoto> examples;
  for (const std::string& name : names_in(folder)) examples.push_back(reader.read(name));
  return examples;
}

}  // namespace tagclip
