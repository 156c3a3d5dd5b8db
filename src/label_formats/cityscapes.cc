#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/mask_pairs.h"
#include "label_formats/raster.h"

namespace tagclip {
namespace {

// The 19 classes that are measured, in the order of their train ids, with their label ids. All
// other label ids are void.
struct CityClass {
  const char* name;
  uint16_t id;
};
constexpr CityClass kClasses[] = {
    {"road", 7},  {"sidewalk", 8},       {"building", 11},     {"wall", 12},       {"fence", 13},
    {"pole", 17}, {"traffic light", 19}, {"traffic sign", 20}, {"vegetation", 21}, {"terrain", 22},
    {"sky", 23},  {"person", 24},        {"rider", 25},        {"car", 26},        {"truck", 27},
    {"bus", 28},  {"train", 31},         {"motorcycle", 32},   {"bicycle", 33}};
constexpr uint16_t kLastId = 34;

constexpr std::string_view kPhotoEnding = "_leftImg8bit";

MaskCoding coding_of_ids(bool train_ids, ClassNames& names) {
  MaskCoding coding;
  if (!train_ids) {
    for (uint16_t id = 0; id <= kLastId; ++id) coding.by_value[id] = kIgnoreIndex;
  }
  uint16_t train_id = 0;
  for (const CityClass& c : kClasses) {
    const uint16_t value = names.value_of(c.name, "cityscapes");
    coding.by_value[train_ids ? train_id++ : c.id] = value;
  }
  return coding;
}

// Holds the polygons of a JSON file of Cityscapes' annotation tool, drawn one over the other.
struct CityPolygons {
  Size size;
  std::vector<std::pair<uint16_t, Polygon>> objects;
};

bool is_measured(const std::string& label) {
  return std::ranges::any_of(kClasses, [&](const CityClass& c) { return label == c.name; });
}

std::shared_ptr<CityPolygons> read_polygons(const std::filesystem::path& path, ClassNames& names) {
  const auto json = read_json(path);
  auto polygons = std::make_shared<CityPolygons>();
  polygons->size = size_at(json, "imgWidth", "imgHeight");
  const auto* objects = find_key(json, "objects");
  if (objects == nullptr || !objects->is_array()) throw bad_input("it has no objects");
  for (const auto& object : *objects) {
    const auto label = text_at(object, "label");
    const auto* points = find_key(object, "polygon");
    if (!label || points == nullptr || !points->is_array()) throw bad_input("an object is broken");
    if (integer_at(object, "deleted").value_or(0) != 0) continue;
    std::string name = *label;
    if (name.ends_with("group")) name.resize(name.size() - 5);  // "cargroup"
    Polygon polygon;
    for (const auto& point : *points) {
      if (!point.is_array() || point.size() != 2 || !point[0].is_number() ||
          !point[1].is_number()) {
        throw bad_input("a point is no pair of numbers");
      }
      polygon.push_back({point[0].get<double>(), point[1].get<double>()});
    }
    const uint16_t value = is_measured(name) ? names.value_of(name, path.string()) : kIgnoreIndex;
    polygons->objects.emplace_back(value, std::move(polygon));
  }
  return polygons;
}

LabelMap draw(const CityPolygons& polygons, Size size) {
  LabelMap map = unlabelled_map(size);
  for (const auto& [value, polygon] : polygons.objects) fill_polygon(map, polygon, value);
  std::ranges::replace(map.labels, kUnlabelled, kIgnoreIndex);
  return map;
}

// gtFine/train/aachen/aachen_0_gtFine_labelIds.png belongs to aachen_0.
std::string name_before(const std::string& file, std::string_view ending) {
  const std::string stem = without_ending(file_name(file));
  return stem.substr(0, stem.size() - ending.size());
}

// The first kind of annotation of which there are files.
std::pair<std::vector<std::string>, std::string> annotations_of(const SourceFiles& files) {
  for (const char* kind : {"labelIds.png", "labelTrainIds.png", "polygons.json"}) {
    for (const char* quality : {"_gtFine_", "_gtCoarse_"}) {
      const std::string ending = std::string(quality) + kind;
      auto found = files.with_ending(ascii_lower(ending));
      if (!found.empty()) return {std::move(found), without_ending(ending)};
    }
  }
  return {};
}

bool recognise(const SourceFiles& files) { return !annotations_of(files).first.empty(); }

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  refuse_class_list(class_list, "Cityscapes has classes of its own");
  const auto [annotations, ending] = annotations_of(files);
  ClassNames names;
  const bool polygons = ending.ends_with("polygons");
  const auto coding = std::make_shared<MaskCoding>(
      coding_of_ids(/*train_ids=*/ending.ends_with("labelTrainIds"), names));
  LabelSource source;
  source.classes = names.names();
  for (const std::string& file : annotations) {
    try {
      SourceItem item{.name = {}};
      item.photo = files.find_photo(name_before(file, ending) + std::string(kPhotoEnding) + ".png",
                                    folder_of(file));
      item.name = files.name_of(item.photo);
      item.split = usual_split(file_name(folder_of(folder_of(file))));
      if (polygons) {
        item.draw = [shapes = read_polygons(files.path(file), names)](const PhotoFrame& photo) {
          return draw_in_frame(photo, shapes->size, [&](Size size) { return draw(*shapes, size); });
        };
      } else {
        item.draw = [coding, path = files.path(file),
                     limits = files.limits()](const PhotoFrame& photo) {
          return fit_to_frame(photo, read_mask(path, *coding, limits));
        };
      }
      source.items.push_back(std::move(item));
    } catch (const Error& error) {
      source.left_out.push_back({file, reason_of(error)});
    }
  }
  return source;
}

}  // namespace

LabelFormat cityscapes_format() {
  return {"cityscapes", "leftImg8bit and gtFine or gtCoarse", recognise, open};
}

}  // namespace tagclip
