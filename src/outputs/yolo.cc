#include <fmt/format.h>

#include "base/text.h"
#include "outputs/contours.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

// A line per connected part: its class, and an outline through the centres of pixels in parts of
// the photo's sides.
void write_photo(const PhotoOutput& output, const ByteSink& sink) {
  constexpr double kCentre = 0.5;
  const LabelMap& map = output.labelled.labels;
  const Regions& regions = output.labelled.regions;
  for (size_t r = 0; r < regions.all.size(); ++r) {
    for (const Outline& outline : trace_outlines(mask_of(regions, r), OutlineOf::kCentres)) {
      std::string line = fmt::to_string(regions.all[r].label);
      for (const auto& [x, y] : simplified(outline, output.run.simplify)) {
        line +=
            fmt::format(" {:.8g} {:.8g}", (x + kCentre) / map.width, (y + kCentre) / map.height);
      }
      sink(bytes_of(line + "\n"));
    }
  }
}

// data.yaml, and the list of photos that it names.
class ClassWriter : public RunFileWriter {
 public:
  ClassWriter(const OutputRun& run, const ByteSink& sink) {
    std::string text =
        "# Written by tagclip segment. Ultralytics looks for the labels of images/NAME.jpg in\n"
        "# labels/NAME.txt: put the photos, or links to them, into images beside this file.\n"
        "train: images\nval: images\nnames:\n";
    for (size_t c = 0; c < run.classes.size(); ++c) {
      text += fmt::format("  {}: {}\n", c, in_quotes(run.classes[c], run.classes[c].size()));
    }
    sink(bytes_of(text));
  }
  void add(const LabelledPhoto& /*photo*/) override {}
  void finish() override {}
};

}  // namespace

OutputFormat yolo_output() {
  return {.name = "yolo",
          .meaning =
              "YOLO's segments: a text file per photo, an outline per connected part; "
              "data.yaml with the classes",
          .read_by = "Ultralytics, `tagclip data convert`",
          .photo_file = "yolo/labels/{}.txt",
          .write_photo = write_photo,
          .run_files = {{"yolo/data.yaml", open_run_file<ClassWriter>}}};
}

}  // namespace tagclip
