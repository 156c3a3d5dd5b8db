#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/base64.h"
#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "image/png.h"
#include "label_formats/class_names.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/raster.h"

namespace tagclip {
namespace {

using Json = nlohmann::json;

struct LabelMeShape {
  enum class Kind { kPolygon, kRectangle, kCircle, kMask } kind = Kind::kPolygon;
  uint16_t value = 0;
  Polygon points;
  std::string mask;  // of kMask: a PNG in base64, placed between the two points
};

struct LabelMeFile {
  Size size;  // 0 x 0: the file does not say
  std::vector<LabelMeShape> shapes;
};

bool is_labelme(const Json& json) {
  return json.is_object() && json.contains("shapes") && json.at("shapes").is_array() &&
         json.contains("imagePath");
}

Polygon read_points(const Json& shape) {
  Polygon points;
  const Json* list = find_key(shape, "points");
  if (list == nullptr || !list->is_array()) throw bad_input("a shape has no points");
  for (const Json& point : *list) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number()) {
      throw bad_input("a point is no pair of numbers");
    }
    points.push_back({point[0].get<double>(), point[1].get<double>()});
  }
  return points;
}

// Nothing for a shape that covers no area.
std::optional<LabelMeShape> read_shape(const Json& json) {
  const std::string kind = text_at(json, "shape_type").value_or("polygon");
  LabelMeShape shape;
  shape.points = read_points(json);
  const size_t points = shape.points.size();
  if (kind == "polygon" || kind == "oriented_rectangle") {
    if (points < 3) return {};
  } else if (kind == "rectangle" || kind == "circle" || kind == "mask") {
    shape.kind = kind == "rectangle" ? LabelMeShape::Kind::kRectangle
                 : kind == "circle"  ? LabelMeShape::Kind::kCircle
                                     : LabelMeShape::Kind::kMask;
    if (points == 4 && kind == "rectangle") {  // as newer versions store its corners
      shape.kind = LabelMeShape::Kind::kPolygon;
    } else if (points != 2) {
      throw bad_input(fmt::format("a {} needs two points, and has {}", kind, points));
    }
    if (kind == "mask") shape.mask = text_at(json, "mask").value_or("");
  } else {
    return {};
  }
  return shape;
}

// Throws Error(kBadInput) for anything but base64, which may be broken into lines and lack its
// padding.
std::vector<std::byte> embedded_picture(std::string digits) {
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r'; });
  while (digits.size() % 4 != 0) digits += '=';
  const std::optional<std::string> content = from_base64(digits);
  if (!content) throw bad_input("a picture inside of it is no base64");
  const auto bytes = std::as_bytes(std::span(*content));
  return {bytes.begin(), bytes.end()};
}

void draw_mask(LabelMap& map, const LabelMeShape& shape) {
  const std::vector<std::byte> bytes = embedded_picture(shape.mask);
  if (!is_png(bytes)) throw bad_input("the picture of a mask is no PNG");
  const auto [header, samples] = decode_png_samples(bytes, "a mask", {});
  const size_t stride = samples.size() / (static_cast<size_t>(header.width) * header.height);
  const auto corner = [](double coordinate) {
    return static_cast<int64_t>(std::clamp(coordinate, -1e9, 1e9));
  };
  const int64_t left = corner(shape.points[0].x), top = corner(shape.points[0].y);
  for (int y = 0; y < header.height; ++y) {
    for (int x = 0; x < header.width; ++x) {
      const int64_t column = left + x, row = top + y;
      if (column < 0 || row < 0 || column >= map.width || row >= map.height) continue;
      if (samples[(static_cast<size_t>(y) * header.width + x) * stride] == 0) continue;
      map.labels[static_cast<size_t>(row) * map.width + static_cast<size_t>(column)] = shape.value;
    }
  }
}

LabelMap draw(const LabelMeFile& file, Size size) {
  LabelMap map = unlabelled_map(size);
  for (const LabelMeShape& shape : file.shapes) {
    const Polygon& p = shape.points;
    switch (shape.kind) {
      case LabelMeShape::Kind::kPolygon:
        fill_polygon(map, p, shape.value);
        break;
      case LabelMeShape::Kind::kRectangle:
        fill_rectangle(map, p[0], p[1], shape.value);
        break;
      case LabelMeShape::Kind::kCircle:
        fill_circle(map, p[0], std::hypot(p[0].x - p[1].x, p[0].y - p[1].y), shape.value);
        break;
      case LabelMeShape::Kind::kMask:
        draw_mask(map, shape);
        break;
    }
  }
  return map;
}

// Reads the annotations of all files; what is wrong with one costs that photo alone.
class LabelMeReader {
 public:
  LabelMeReader(const SourceFiles& files) : files_(files) {}

  void read(const std::string& name) {
    try {
      const auto json = read_json(files_.path(name));
      if (!is_labelme(json)) return;  // another JSON file
      source_.items.push_back(item_of(name, json));
    } catch (const Error& error) {
      source_.left_out.push_back({name, reason_of(error)});
    }
  }

  LabelSource finish() {
    source_.classes = classes_.names();
    source_.notes = classes_.notes();
    add_photos_without_file();
    if (without_area_ > 0) {
      source_.notes.push_back(counted(without_area_, "shape") +
                              " without an area (points, lines) left out");
    }
    return std::move(source_);
  }

 private:
  // Photos beside annotated ones that nobody has opened yet, as LabelMe writes a file when it
  // saves.
  void add_photos_without_file() {
    std::set<std::string> folders, annotated;
    for (const SourceItem& item : source_.items) {
      folders.insert(folder_of(item.name));
      annotated.insert(item.name);
    }
    for (const LeftOutItem& item : source_.left_out) annotated.insert(without_ending(item.name));
    for (const std::string& photo : files_.photos()) {
      const std::string name = without_ending(photo);
      if (!folders.contains(folder_of(photo)) || annotated.contains(name)) continue;
      source_.left_out.push_back({name, "no LabelMe file is about this photo", false});
    }
  }

  SourceItem item_of(const std::string& name, const Json& json) {
    auto file = std::make_shared<LabelMeFile>();
    file->size = size_at(json, "imageWidth", "imageHeight");
    for (const Json& entry : json.at("shapes")) {
      const auto label = text_at(entry, "label");
      if (!label) throw bad_input("a shape has no label");
      const uint16_t value = classes_.value_of(*label, name);
      auto shape = read_shape(entry);
      if (!shape) {
        ++without_area_;
        continue;
      }
      shape->value = value;
      file->shapes.push_back(std::move(*shape));
    }
    SourceItem item{.name = without_ending(name)};
    const auto stated = text_at(json, "imagePath");
    try {
      item.photo = files_.find_photo(stated.value_or(""), folder_of(name));
      item.name = files_.name_of(item.photo);
    } catch (const Error&) {
      // The file may hold the photo.
      if (!text_at(json, "imageData") || text_at(json, "imageData")->empty()) throw;
      item.embedded = [path = files_.path(name)] {
        return embedded_picture(text_at(read_json(path), "imageData").value_or(""));
      };
    }
    item.split = usual_split(file_name(folder_of(name)));
    if (item.split != "train" && item.split != "val" && item.split != "test") item.split.clear();
    item.draw = [file](const PhotoFrame& photo) {
      return draw_in_frame(photo, file->size, [&](Size size) { return draw(*file, size); });
    };
    return item;
  }

  const SourceFiles& files_;
  ClassNames classes_;
  LabelSource source_;
  int64_t without_area_ = 0;
};

bool recognise(const SourceFiles& files) { return any_json_with(files, {"shapes", "imagePath"}); }

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  refuse_class_list(class_list, "LabelMe's files name their classes");
  LabelMeReader reader(files);
  for (const std::string& name : files.with_ending(".json")) reader.read(name);
  return reader.finish();
}

}  // namespace

LabelFormat labelme_format() { return {"labelme", "LabelMe's JSON files", recognise, open}; }

}  // namespace tagclip
