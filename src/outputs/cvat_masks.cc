#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "base/error.h"
#include "image/png.h"
#include "outputs/archive_writer.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

// The palette that objects are read with has so many colours beside the background's.
constexpr size_t kMostObjects = 255;

// The number of each region's object: its own, but where there are too many for the palette one for
// all but the largest regions of a class.
std::vector<size_t> object_numbers(const Regions& regions) {
  std::vector<size_t> numbers(regions.all.size());
  std::iota(numbers.begin(), numbers.end(), size_t{1});
  if (numbers.size() <= kMostObjects) return numbers;
  std::map<uint16_t, size_t> shared;  // by class; 0: not used yet
  for (const LabelRegion& region : regions.all) shared[region.label] = 0;
  if (shared.size() > kMostObjects) {
    throw bad_input(fmt::format("a photo with regions of {} classes: `cvat-masks` holds {} objects "
                                "a photo",
                                shared.size(), kMostObjects),
                    "leave this format out, or look for fewer words");
  }
  std::vector<size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto area = [&](size_t i) { return regions.all[i].area; };
  std::ranges::stable_sort(order, std::greater(), area);
  const size_t own = kMostObjects - shared.size();
  size_t last = 0;
  for (size_t place = 0; place < order.size(); ++place) {
    size_t& number = numbers[order[place]];
    size_t& of_rest = shared[regions.all[order[place]].label];
    if (place < own) {
      number = ++last;
    } else {
      if (of_rest == 0) of_rest = ++last;
      number = of_rest;
    }
  }
  return numbers;
}

class CvatWriter : public RunFileWriter {
 public:
  CvatWriter(const OutputRun& run, const ByteSink& sink) : run_(run), zip_(sink) {
    std::string list = "# label:color_rgb:parts:actions\nbackground:0,0,0::\n";
    for (size_t c = 0; c < run.classes.size(); ++c) {
      if (run.classes[c] == kBackgroundClass) continue;  // it is in no region
      std::string name = run.classes[c];
      for (char& letter : name) letter = letter == ':' ? ' ' : letter;  // it ends the name
      list += fmt::format("{}:{},{},{}::\n", name, run.palette[c][0], run.palette[c][1],
                          run.palette[c][2]);
    }
    zip_.add("labelmap.txt", bytes_of(list));
  }

  void add(const LabelledPhoto& photo) override {
    const Regions& regions = photo.regions;
    const std::vector<size_t> numbers = object_numbers(regions);
    const std::vector<Colour> of_objects = voc_palette(kMostObjects + 1);
    Image classes = blank_image(regions.width, regions.height), objects = classes;
    for (size_t i = 0; i < regions.of_pixel.size(); ++i) {
      if (regions.of_pixel[i] == 0) continue;
      const size_t region = regions.of_pixel[i] - 1;
      std::ranges::copy(run_.palette[regions.all[region].label], &classes.pixels[3 * i]);
      std::ranges::copy(of_objects[numbers[region]], &objects.pixels[3 * i]);
    }
    zip_.add("SegmentationClass/" + photo.stem + ".png", encode_png(classes));
    zip_.add("SegmentationObject/" + photo.stem + ".png", encode_png(objects));
    names_ += photo.stem + "\n";
  }

  void finish() override {
    zip_.add("ImageSets/Segmentation/default.txt", bytes_of(names_));
    zip_.finish();
  }

 private:
  const OutputRun& run_;
  ArchiveWriter zip_;
  std::string names_;  // of the photos, one a line
};

}  // namespace

OutputFormat cvat_masks_output() {
  return {.name = "cvat-masks",
          .meaning = "CVAT's \"Segmentation mask 1.1\": a ZIP archive for all photos",
          .read_by = "CVAT, Datumaro",
          .run_files = {{"cvat/masks.zip", open_run_file<CvatWriter>}}};
}

}  // namespace tagclip
