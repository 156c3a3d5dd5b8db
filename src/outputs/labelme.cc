#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/bounded_json.h"
#include "image/png.h"
#include "outputs/contours.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

using Json = nlohmann::ordered_json;

// The version of LabelMe whose files these are like.
constexpr const char* kVersion = "5.5.0";

Json shape_of(const std::string& label, const Json& points, const char* type, const Json& group,
              const Json& mask) {
  return {{"label", label},     {"points", points},        {"group_id", group}, {"description", ""},
          {"shape_type", type}, {"flags", Json::object()}, {"mask", mask}};
}

// The polygons of a region of several parts have its number as their group.
void add_polygons(const PhotoOutput& output, size_t r, Json& shapes) {
  // Pillow cuts the fraction off, which leaves the pixels themselves.
  constexpr double kCentre = 0.5;
  const LabelRegion& region = output.labelled.regions.all[r];
  const auto outlines = trace_outlines(mask_of(output.labelled.regions, r), OutlineOf::kCentres);
  for (const Outline& outline : outlines) {
    Json points = Json::array();
    for (const auto& [x, y] : simplified(outline, output.run.simplify)) {
      points.push_back({x + kCentre, y + kCentre});
    }
    shapes.push_back(shape_of(output.run.classes[region.label], points, "polygon",
                              outlines.size() > 1 ? Json(r + 1) : Json(), {}));
  }
}

void add_mask(const PhotoOutput& output, size_t r, Json& shapes) {
  RegionMask mask = mask_of(output.labelled.regions, r);
  for (uint8_t& pixel : mask.inside) pixel = pixel != 0 ? 255 : 0;
  const auto png =
      encode_png({mask.width, mask.height, PngContent::Layout::kGrey8, mask.inside, {}});
  const Json box = {{mask.left, mask.top},
                    {mask.left + mask.width - 1, mask.top + mask.height - 1}};  // both belong to it
  shapes.push_back(shape_of(output.run.classes[output.labelled.regions.all[r].label], box, "mask",
                            {}, to_base64(png)));
}

void write(const PhotoOutput& output, const ByteSink& sink, std::string_view format_folder,
           void (*add)(const PhotoOutput&, size_t, Json&)) {
  Json shapes = Json::array();
  for (size_t r = 0; r < output.labelled.regions.all.size(); ++r) add(output, r, shapes);
  const Json json = {
      {"version", kVersion},
      {"flags", Json::object()},
      {"shapes", shapes},
      {"imagePath", path_from(output.run.folder / format_folder, output.labelled.file)},
      {"imageData", nullptr},
      {"imageHeight", output.labelled.labels.height},
      {"imageWidth", output.labelled.labels.width}};
  sink(bytes_of(json_text(json, 2) + "\n"));
}

void write_polygons(const PhotoOutput& output, const ByteSink& sink) {
  write(output, sink, "labelme", add_polygons);
}

void write_masks(const PhotoOutput& output, const ByteSink& sink) {
  write(output, sink, "labelme_masks", add_mask);
}

}  // namespace

OutputFormat labelme_output() {
  return {.name = "labelme",
          .meaning = "LabelMe's JSON per photo, outlines as polygons",
          .read_by = "LabelMe, X-AnyLabeling, `tagclip data convert`",
          .photo_file = "labelme/{}.json",
          .write_photo = write_polygons};
}

OutputFormat labelme_masks_output() {
  return {.name = "labelme-masks",
          .meaning = "LabelMe's JSON per photo, masks as pictures in it",
          .read_by = "LabelMe from 5.3 on, `tagclip data convert`",
          .photo_file = "labelme_masks/{}.json",
          .write_photo = write_masks};
}

}  // namespace tagclip
