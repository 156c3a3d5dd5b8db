#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "label_formats/class_names.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/raster.h"

namespace tagclip {
namespace {

using Json = nlohmann::json;

// Holds one object: polygons that together are its area, or runs.
struct CocoObject {
  uint16_t value = 0;
  bool is_crowd = false;
  double area = 0;
  std::vector<Polygon> polygons;
  std::vector<uint32_t> runs;
  Size runs_size;  // of the picture that the runs describe
};

struct CocoPhoto {
  Size size;  // 0 x 0: the file does not say
  std::vector<CocoObject> objects;
  std::string error;  // of its first object that cannot be read
};

bool is_list(const Json& json, const char* key) {
  const Json* value = find_key(json, key);
  return value != nullptr && value->is_array();
}

bool is_coco(const Json& json) {
  return is_list(json, "images") && is_list(json, "annotations") && is_list(json, "categories");
}

Polygon read_polygon(const Json& numbers) {
  Polygon polygon;
  if (!numbers.is_array()) throw bad_input("a polygon is no list of numbers");
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) {
    if (!numbers[i].is_number() || !numbers[i + 1].is_number()) {
      throw bad_input("a polygon is no list of numbers");
    }
    polygon.push_back({numbers[i].get<double>(), numbers[i + 1].get<double>()});
  }
  return polygon;
}

void read_runs(const Json& json, CocoObject& object) {
  const Json* size = find_key(json, "size");
  if (size == nullptr || !size->is_array() || size->size() != 2 ||
      !(*size)[0].is_number_unsigned() || !(*size)[1].is_number_unsigned()) {
    throw bad_input("its run lengths have no size");
  }
  object.runs_size = {(*size)[1].get<int>(), (*size)[0].get<int>()};
  if (const auto packed = text_at(json, "counts")) {
    object.runs = unpack_runs(*packed);
  } else if (is_list(json, "counts")) {
    for (const Json& run : json.at("counts")) {
      if (!run.is_number_unsigned() || run.get<uint64_t>() > UINT32_MAX) {
        throw bad_input("its run lengths are broken");
      }
      object.runs.push_back(run.get<uint32_t>());
    }
  } else {
    throw bad_input("its run lengths are missing");
  }
  for (size_t i = 1; i < object.runs.size(); i += 2) object.area += object.runs[i];
}

// Returns nothing for an annotation without an outline, such as a box.
std::optional<CocoObject> read_object(const Json& annotation) {
  const Json* outline = find_key(annotation, "segmentation");
  if (outline == nullptr) return {};
  CocoObject object;
  object.is_crowd = integer_at(annotation, "iscrowd").value_or(0) != 0;
  if (outline->is_object()) {
    read_runs(*outline, object);
    return object;
  }
  if (!outline->is_array()) return {};
  for (const Json& part : *outline) {
    Polygon polygon = read_polygon(part);
    if (polygon.size() < 3) continue;
    object.area += polygon_area(polygon);
    object.polygons.push_back(std::move(polygon));
  }
  if (object.polygons.empty()) return {};
  return object;
}

LabelMap draw(const CocoPhoto& photo, Size size) {
  LabelMap map = unlabelled_map(size);
  for (const CocoObject& object : photo.objects) {
    for (const Polygon& polygon : object.polygons) fill_coco_polygon(map, polygon, object.value);
    if (object.runs.empty()) continue;
    if (object.runs_size != size) {
      throw bad_input(fmt::format("a mask is {}x{}, but the photo {}x{}", object.runs_size.width,
                                  object.runs_size.height, size.width, size.height));
    }
    fill_runs(map, object.runs, object.value);
  }
  return map;
}

// Of objects that overlap, COCO does not say which is in front: the smaller one is kept, so that
// none is lost, and a crowd lies behind all.
void sort_by_depth(std::vector<CocoObject>& objects) {
  std::ranges::stable_sort(objects, [](const CocoObject& a, const CocoObject& b) {
    return a.is_crowd != b.is_crowd ? a.is_crowd : a.area > b.area;
  });
}

class CocoReader {
 public:
  CocoReader(const SourceFiles& files) : files_(files) {}

  void read(const std::string& name) {
    const Json json = read_json(files_.path(name));
    if (!is_coco(json)) return;
    ++files_read_;
    const auto values = read_categories(json, name);
    std::map<int64_t, std::shared_ptr<CocoPhoto>> photos;
    for (const Json& image : json.at("images")) read_image(image, name, photos);
    for (const Json& annotation : json.at("annotations")) {
      const auto photo = photos.find(integer_at(annotation, "image_id").value_or(-1));
      if (photo == photos.end()) {
        ++of_no_photo_;
      } else if (photo->second->error.empty()) {
        read_annotation(annotation, values, *photo->second);
      }
    }
    for (const auto& [id, photo] : photos) sort_by_depth(photo->objects);
  }

  LabelSource finish() {
    if (files_read_ == 0) throw bad_input(files_.source().string() + " holds no COCO file");
    source_.classes = classes_.names();
    source_.notes = classes_.notes();
    const auto note = [&](int64_t count, const char* noun, const char* why) {
      if (count > 0) source_.notes.push_back(counted(count, noun) + why);
    };
    note(boxes_, "annotation", " without an outline (boxes, keypoints) left out");
    note(of_no_photo_, "annotation", " of photos that the file does not list left out");
    return std::move(source_);
  }

 private:
  using Values = std::map<int64_t, uint16_t>;

  // Roboflow lists its project as category 0, of which nothing ever is.
  static bool is_project(const Json& category, const Json& json) {
    if (integer_at(category, "id") != 0 || text_at(category, "supercategory") != "none") {
      return false;
    }
    const auto name = text_at(category, "name");
    const auto is_of_it = [&](const Json& other) {
      return text_at(other, "supercategory") == name;
    };
    return std::ranges::any_of(json.at("categories"), is_of_it) &&
           std::ranges::none_of(json.at("annotations"), [](const Json& annotation) {
             return integer_at(annotation, "category_id") == 0;
           });
  }

  Values read_categories(const Json& json, const std::string& file) {
    Values values;
    for (const Json& category : json.at("categories")) {
      const auto id = integer_at(category, "id");
      const auto name = text_at(category, "name");
      if (!id || !name)
        throw bad_input(files_.path(file).string() + ": a category lacks id or name");
      if (is_project(category, json)) continue;
      values[*id] = classes_.value_of(*name, files_.path(file).string());
    }
    return values;
  }

  void read_image(const Json& image, const std::string& file,
                  std::map<int64_t, std::shared_ptr<CocoPhoto>>& photos) {
    const auto id = integer_at(image, "id");
    const auto name = text_at(image, "file_name");
    if (!id || !name) {
      source_.left_out.push_back({file, "an image has no id or file_name"});
      return;
    }
    try {
      auto photo = std::make_shared<CocoPhoto>();
      photo->size = size_at(image, "width", "height");
      SourceItem item{.name = {}, .photo = files_.find_photo(*name, folder_of(file))};
      item.name = files_.name_of(item.photo);
      item.split = split_of(file);
      item.draw = [photo](const PhotoFrame& frame) {
        if (!photo->error.empty()) throw bad_input(photo->error);
        return draw_in_frame(frame, photo->size, [&](Size size) { return draw(*photo, size); });
      };
      if (!photos.emplace(*id, photo).second) {
        source_.left_out.push_back({*name, fmt::format("the id {} is another photo's", *id)});
        return;
      }
      source_.items.push_back(std::move(item));
    } catch (const Error& error) {
      source_.left_out.push_back({*name, reason_of(error)});
      photos.emplace(*id, std::make_shared<CocoPhoto>());  // its annotations have a photo
    }
  }

  void read_annotation(const Json& annotation, const Values& values, CocoPhoto& photo) {
    const auto value = values.find(integer_at(annotation, "category_id").value_or(-1));
    try {
      if (value == values.end()) throw bad_input("an annotation has an unknown category_id");
      auto object = read_object(annotation);
      if (!object) {
        ++boxes_;
        return;
      }
      object->value = value->second;
      photo.objects.push_back(std::move(*object));
    } catch (const Error& error) {
      photo.error = error.what();
    }
  }

  // Recognises instances_train2017.json, train.json, or a file in a folder called train.
  static std::string split_of(const std::string& file) {
    const std::string name = ascii_lower(without_ending(file_name(file)));
    const std::string folder = usual_split(file_name(folder_of(file)));
    for (const char* split : {"train", "val", "test"}) {
      if (folder == split || name.find(split) != name.npos) return split;
    }
    return {};
  }

  const SourceFiles& files_;
  ClassNames classes_;
  LabelSource source_;
  int64_t files_read_ = 0, boxes_ = 0, of_no_photo_ = 0;
};

bool recognise(const SourceFiles& files) {
  return any_json_with(files, {"images", "annotations", "categories"});
}

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  refuse_class_list(class_list, "COCO's files name their classes");
  CocoReader reader(files);
  std::vector<std::string> names = files.with_ending(".json");
  // COCO itself has files of keypoints and panoptic segments for the same photos.
  const auto of_instances = [](const std::string& name) {
    return file_name(name).starts_with("instances");
  };
  if (std::ranges::any_of(names, of_instances)) {
    std::erase_if(names, std::not_fn(of_instances));
  }
  for (const std::string& name : names) reader.read(name);
  return reader.finish();
}

}  // namespace

LabelFormat coco_format() {
  return {"coco", "COCO's JSON, also as Roboflow and CVAT export it", recognise, open};
}

}  // namespace tagclip
