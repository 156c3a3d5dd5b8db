#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "outputs/contours.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

using Json = nlohmann::ordered_json;

// A ring is closed by its first point. RFC 7946 wants outer rings anticlockwise where y points up:
// clockwise where it points down, as trace_polygons gives them.
Json ring_of(const Outline& outline, double simplify) {
  Json ring = Json::array();
  for (const auto& [x, y] : simplified(outline, simplify)) ring.push_back({x, y});
  ring.push_back(ring.front());
  return ring;
}

void write_photo(const PhotoOutput& output, const ByteSink& sink) {
  const Regions& regions = output.labelled.regions;
  Json features = Json::array();
  for (size_t r = 0; r < regions.all.size(); ++r) {
    const LabelRegion& region = regions.all[r];
    Json polygons = Json::array();
    for (const RegionPolygon& polygon : trace_polygons(mask_of(regions, r))) {
      Json rings = Json::array({ring_of(polygon.outer, output.run.simplify)});
      for (const Outline& hole : polygon.holes) {
        rings.push_back(ring_of(hole, output.run.simplify));
      }
      polygons.push_back(rings);
    }
    const std::string& name = output.run.classes[region.label];
    features.push_back(
        {{"type", "Feature"},
         {"geometry", {{"type", "MultiPolygon"}, {"coordinates", polygons}}},
         {"properties",
          {{"objectType", "annotation"},  // these two are QuPath's
           {"classification", {{"name", name}, {"color", output.run.palette[region.label]}}},
           {"label", region.label},
           {"name", name},
           {"area", region.area},
           {"score", region.score}}}});
  }
  sink(bytes_of(json_text({{"type", "FeatureCollection"}, {"features", features}}) + "\n"));
}

}  // namespace

OutputFormat geojson_output() {
  return {.name = "geojson",
          .meaning =
              "GeoJSON per photo, outlines as polygons with holes, in pixels from the upper "
              "left",
          .read_by = "QuPath, Shapely, GeoPandas, GDAL",
          .photo_file = "geojson/{}.geojson",
          .write_photo = write_photo};
}

}  // namespace tagclip
