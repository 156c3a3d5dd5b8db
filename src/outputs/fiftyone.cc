#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "image/png.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

using Json = nlohmann::ordered_json;

// FiftyOne shows 0 as nothing: classes begin at 1.
void write_mask(const PhotoOutput& output, const ByteSink& sink) {
  const LabelMap& map = output.labelled.labels;
  std::vector<uint16_t> values(map.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = map.labels[i] == kIgnoreIndex ? 0 : static_cast<uint16_t>(map.labels[i] + 1);
  }
  std::vector<uint8_t> samples;
  const bool small = output.run.classes.size() < 256;
  if (small) {
    samples.assign(values.begin(), values.end());
  } else {
    const auto bytes = std::as_bytes(std::span(values));
    const auto* first = reinterpret_cast<const uint8_t*>(bytes.data());
    samples.assign(first, first + bytes.size());
  }
  const auto layout = small ? PngContent::Layout::kGrey8 : PngContent::Layout::kGrey16;
  const auto png = encode_png({map.width, map.height, layout, samples, {}});
  sink(png);
}

// data.json says where the photo of each mask lies.
class PhotoList : public RunFileWriter {
 public:
  PhotoList(const OutputRun& run, const ByteSink& sink) : run_(run), sink_(sink) {}
  void add(const LabelledPhoto& photo) override {
    photos_[photo.stem] = path_from(run_.folder / "fiftyone", photo.file);
  }
  void finish() override { sink_(bytes_of(json_text(photos_, 2) + "\n")); }

 private:
  const OutputRun& run_;
  const ByteSink& sink_;
  Json photos_ = Json::object();
};

class MaskTargets : public RunFileWriter {
 public:
  MaskTargets(const OutputRun& run, const ByteSink& sink) {
    Json targets = Json::object();
    for (size_t c = 0; c < run.classes.size(); ++c) targets[std::to_string(c + 1)] = run.classes[c];
    sink(bytes_of(json_text(targets, 2) + "\n"));
  }
  void add(const LabelledPhoto& /*photo*/) override {}
  void finish() override {}
};

}  // namespace

OutputFormat fiftyone_output() {
  return {.name = "fiftyone",
          .meaning =
              "FiftyOne's ImageSegmentationDirectory: a mask per photo, data.json with the "
              "photos, mask_targets.json with the classes",
          .read_by = "FiftyOne",
          .photo_file = "fiftyone/labels/{}.png",
          .write_photo = write_mask,
          .run_files = {{"fiftyone/data.json", open_run_file<PhotoList>},
                        {"fiftyone/mask_targets.json", open_run_file<MaskTargets>}}};
}

}  // namespace tagclip
