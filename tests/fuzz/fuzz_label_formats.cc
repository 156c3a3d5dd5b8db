// Any bytes as an annotation beside a photo: refused, or drawn into labels of the photo's size. The
// first byte picks the format.
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "image/png.h"
#include "label_formats/class_names.h"
#include "label_formats/label_source.h"

namespace {

constexpr tagclip::Size kPhoto = {12, 8};

struct Annotation {
  const char* format;
  const char* file;
};
constexpr Annotation kAnnotations[] = {{"labelme", "a.json"},    {"coco", "a.json"},
                                       {"yolo", "labels/a.txt"}, {"yolo", "data.yaml"},
                                       {"masks", "masks/a.png"}, {"masks", "classes.txt"}};

void draw_all(const tagclip::LabelSource& source) {
  for (const tagclip::SourceItem& item : source.items) {
    try {
      const tagclip::LabelMap map = item.draw({kPhoto});
      TAGCLIP_CHECK(map.labels.size() == map.size(), "labels fill the map");
      for (const uint16_t label : map.labels) {
        TAGCLIP_CHECK(label < source.classes.size() || label >= tagclip::kUnlabelled, "no class");
      }
    } catch (const tagclip::Error&) {  // costs that photo alone
    }
  }
}

std::filesystem::path make_folder() {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tagclip-fuzz-labels-" + std::to_string(::getpid()));
  for (const char* name : {"images", "labels", "masks"}) {
    std::filesystem::create_directories(folder / name);
  }
  tagclip::write_png(
      folder / "images/a.png",
      tagclip::Image{kPhoto.width, kPhoto.height,
                     std::vector<uint8_t>(size_t{3} * kPhoto.width * kPhoto.height)});
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const std::filesystem::path folder = make_folder();
  const Annotation& annotation = kAnnotations[data[0] % std::size(kAnnotations)];
  for (const Annotation& other : kAnnotations) std::filesystem::remove(folder / other.file);
  tagclip::write_file(folder / "labels/a.txt", "0 0 0 1 0 1 1\n");
  tagclip::write_file(folder / "data.yaml", "names: [a, b]\n");
  tagclip::write_file(folder / annotation.file,
                      std::span(reinterpret_cast<const std::byte*>(data) + 1, size - 1));
  try {
    const tagclip::SourceFiles files(folder);
    draw_all(tagclip::find_label_format(files, annotation.format).open(files, {}));
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}
