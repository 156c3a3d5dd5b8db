#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "image/coco_runs.h"
#include "outputs/contours.h"
#include "outputs/formats.h"
#include "outputs/run_lengths.h"

namespace tagclip {
namespace {

using Json = nlohmann::ordered_json;

Json polygons_of(const RegionMask& mask, double simplify) {
  Json polygons = Json::array();
  for (const Outline& outline : trace_outlines(mask, OutlineOf::kEdges)) {
    Json& numbers = polygons.emplace_back(Json::array());
    for (const auto& [x, y] : simplified(outline, simplify)) {
      numbers.push_back(x);
      numbers.push_back(y);
    }
  }
  return polygons;
}

// Annotations are written as they come, and the list of photos after them: few of the numbers of a
// large run are in memory.
class CocoWriter : public RunFileWriter {
 public:
  CocoWriter(const OutputRun& run, const ByteSink& sink, bool as_runs)
      : run_(run), sink_(sink), as_runs_(as_runs) {
    Json categories = Json::array();
    for (size_t c = 0; c < run.classes.size(); ++c) {
      categories.push_back({{"id", c + 1}, {"name", run.classes[c]}, {"supercategory", ""}});
    }
    const Json info = {{"description", "written by tagclip segment"}, {"model", run.model}};
    sink_(bytes_of("{\"info\":" + json_text(info) + ",\"licenses\":[],\"categories\":" +
                   json_text(categories) + ",\"annotations\":["));
  }

  void add(const LabelledPhoto& photo) override {
    const int64_t image = std::ssize(images_) + 1;
    images_.push_back({{"id", image},
                       {"file_name", photo.file.filename().string()},
                       {"width", photo.labels.width},
                       {"height", photo.labels.height}});
    for (size_t r = 0; r < photo.regions.all.size(); ++r) {
      const LabelRegion& region = photo.regions.all[r];
      const RegionMask mask = mask_of(photo.regions, r);
      const Json annotation = {{"id", ++annotations_},
                               {"image_id", image},
                               {"category_id", region.label + 1},
                               {"segmentation", as_runs_ ? runs_of(mask, photo.labels)
                                                         : polygons_of(mask, run_.simplify)},
                               {"area", region.area},
                               {"bbox", {region.left, region.top, region.width, region.height}},
                               {"iscrowd", 0},
                               {"score", region.score}};
      sink_(bytes_of((annotations_ > 1 ? ",\n" : "\n") + json_text(annotation)));
    }
  }

  void finish() override { sink_(bytes_of("],\"images\":" + json_text(images_) + "}\n")); }

 private:
  static Json runs_of(const RegionMask& mask, const LabelMap& map) {
    return {{"size", {map.height, map.width}},
            {"counts", pack_runs(column_runs(mask, map.width, map.height))}};
  }

  const OutputRun& run_;
  const ByteSink& sink_;
  bool as_runs_;
  Json images_ = Json::array();
  int64_t annotations_ = 0;
};

template <bool kAsRuns>
std::unique_ptr<RunFileWriter> open(const OutputRun& run, const ByteSink& sink) {
  return std::make_unique<CocoWriter>(run, sink, kAsRuns);
}

}  // namespace

OutputFormat coco_output() {
  return {.name = "coco",
          .meaning = "COCO's JSON for all photos, outlines as polygons",
          .read_by = "pycocotools, detectron2, CVAT, Roboflow, `tagclip data convert`",
          .run_files = {{"coco/polygons.json", open<false>}}};
}

OutputFormat coco_rle_output() {
  return {.name = "coco-rle",
          .meaning = "COCO's JSON for all photos, masks as run lengths",
          .read_by = "pycocotools, detectron2, `tagclip data convert`",
          .run_files = {{"coco/masks.json", open<true>}}};
}

}  // namespace tagclip
