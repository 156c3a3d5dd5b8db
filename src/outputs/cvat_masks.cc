#include <fmt/format.h>

#include <algorithm>

#include "image/png.h"
#include "outputs/archive_writer.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

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
    const std::vector<Colour> of_objects = voc_palette(regions.all.size() + 1);
    Image classes = blank_image(regions.width, regions.height), objects = classes;
    for (size_t i = 0; i < regions.of_pixel.size(); ++i) {
      if (regions.of_pixel[i] == 0) continue;
      const uint32_t number = regions.of_pixel[i];
      std::ranges::copy(run_.palette[regions.all[number - 1].label], &classes.pixels[3 * i]);
      std::ranges::copy(of_objects[number], &objects.pixels[3 * i]);
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
