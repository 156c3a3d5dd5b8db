#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "label_formats/class_colours.h"
#include "label_formats/class_names.h"
#include "label_formats/formats.h"
#include "label_formats/json_values.h"
#include "label_formats/raster.h"

namespace tagclip {
namespace {

// Holds an object with its outline, as parts of the photo's width and height.
struct YoloObject {
  uint16_t value = 0;
  Polygon polygon;
};

std::string unquoted(std::string_view text) {
  text = trim(text);
  for (const char quote : {'"', '\''}) {
    if (text.size() >= 2 && text.front() == quote && text.back() == quote) {
      return std::string(text.substr(1, text.size() - 2));
    }
  }
  return std::string(text);
}

// Splits texts at the commas between them; commas inside of quotes do not count.
std::vector<std::string> flow_list(std::string_view text) {
  std::vector<std::string> entries;
  std::string entry;
  char quote = 0;
  for (const char c : text) {
    if (quote == 0 && c == ',') {
      entries.push_back(unquoted(entry));
      entry.clear();
      continue;
    }
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    }
    entry += c;
  }
  if (!trim(entry).empty()) entries.push_back(unquoted(entry));
  return entries;
}

std::string_view without_comment(std::string_view line) {
  const size_t hash = line.find(" #");
  return line.starts_with('#') ? std::string_view() : line.substr(0, hash);
}

// "3: car" as its two sides.
std::pair<std::string, std::string> key_and_value(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return {"", unquoted(text)};
  return {unquoted(text.substr(0, colon)), unquoted(text.substr(colon + 1))};
}

class NamesOfYaml {
 public:
  explicit NamesOfYaml(const std::filesystem::path& path) : path_(path) {}

  // The names in the order of their numbers. Of YAML, what data.yaml uses: a list in brackets or
  // below, or a mapping of numbers in braces or below.
  std::vector<std::string> read() {
    const std::string text = read_text(path_, 1 << 20);
    bool inside = false;
    std::string flow;
    for (const std::string_view raw : split_lines(text)) {
      const std::string_view line = trim(without_comment(raw));
      if (!inside && !line.starts_with("names:")) continue;
      std::string_view rest = line;
      if (!inside) {
        inside = true;
        rest = trim(line.substr(std::string_view("names:").size()));
      }
      if (rest.empty()) continue;
      if (!flow.empty() || rest.starts_with('[') || rest.starts_with('{')) {
        flow += std::string(rest) + " ";
        if (rest.ends_with(']') || rest.ends_with('}')) {
          read_flow(trim(flow));
          break;
        }
      } else if (!read_entry(rest)) {
        break;
      }
    }
    if (names_.empty()) throw bad_input(path_.string() + " has no names");
    return names_;
  }

 private:
  void read_flow(std::string_view flow) {
    const bool mapping = flow.starts_with('{');
    for (const std::string& entry : flow_list(flow.substr(1, flow.size() - 2))) {
      if (mapping) {
        const auto [number, name] = key_and_value(entry);
        put(number, name);
      } else {
        names_.push_back(entry);
      }
    }
  }

  // A line below "names:"; false where another key begins.
  bool read_entry(std::string_view line) {
    if (line.starts_with("- ")) {
      names_.push_back(unquoted(line.substr(2)));
      return true;
    }
    const auto [number, name] = key_and_value(line);
    if (!parse_number<size_t>(number)) return false;
    put(number, name);
    return true;
  }

  void put(const std::string& number, const std::string& name) {
    const auto index = parse_number<size_t>(number);
    if (!index || *index > 65000) {
      throw bad_input(path_.string() + ": " + in_quotes(number) + " is no number of a class");
    }
    if (*index >= names_.size()) names_.resize(*index + 1);
    names_[*index] = name;
  }

  std::filesystem::path path_;
  std::vector<std::string> names_;
};

// The label files: NAME.txt in a folder called labels, or beside its photo.
std::vector<std::string> label_files(const SourceFiles& files) {
  std::vector<std::string> found;
  for (const std::string& file : files.with_ending(".txt")) {
    const auto parts = path_parts(folder_of(file));
    if (std::ranges::find(parts, "labels") != parts.end()) found.push_back(file);
  }
  return found;
}

// images/train/a of labels/train/a.txt
std::string photo_beside(const std::string& label_file) {
  std::vector<std::string> parts = path_parts(without_ending(label_file));
  const auto labels = std::find(parts.rbegin(), parts.rend(), "labels");
  if (labels != parts.rend()) *labels = "images";
  std::string path;
  for (const std::string& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

std::vector<YoloObject> read_objects(const std::filesystem::path& path,
                                     const std::vector<uint16_t>& values, int64_t& boxes) {
  std::vector<YoloObject> objects;
  const std::string text = read_text(path);
  size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    std::vector<double> numbers;
    for (size_t begin = line.find_first_not_of(" \t"); begin < line.size();
         begin = line.find_first_not_of(" \t", begin)) {
      const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
      const auto value = parse_number<double>(line.substr(begin, end - begin));
      if (!value || !std::isfinite(*value)) {
        throw bad_input(fmt::format("line {} is no row of numbers", number));
      }
      numbers.push_back(*value);
      begin = end;
    }
    if (numbers.empty()) continue;
    if (numbers.size() == 5) {
      ++boxes;
      continue;
    }
    if (numbers.size() < 7 || numbers.size() % 2 == 0) {
      throw bad_input(fmt::format("line {} is no class with an outline", number));
    }
    if (!(numbers[0] >= 0 && numbers[0] < static_cast<double>(values.size()))) {
      throw bad_input(fmt::format("line {} has class {}, but the names end at {}", number,
                                  numbers[0], values.size() - 1));
    }
    YoloObject object{values[static_cast<size_t>(numbers[0])], {}};
    for (size_t i = 1; i + 1 < numbers.size(); i += 2) {
      object.polygon.push_back({numbers[i], numbers[i + 1]});
    }
    objects.push_back(std::move(object));
  }
  // Ultralytics draws the smaller of overlapping objects in front.
  std::ranges::stable_sort(objects, std::greater(),
                           [](const YoloObject& object) { return polygon_area(object.polygon); });
  return objects;
}

LabelMap draw(const std::vector<YoloObject>& objects, Size size) {
  // The files round to a millionth of a side: a whole pixel must not fall below itself.
  constexpr double kRounding = 0.01;
  LabelMap map = unlabelled_map(size);
  for (const YoloObject& object : objects) {
    Polygon polygon = object.polygon;
    for (PolygonPoint& point : polygon) {
      point.x = point.x * size.width + kRounding;
      point.y = point.y * size.height + kRounding;
    }
    fill_polygon(map, polygon, object.value);
  }
  return map;
}

std::vector<std::string> read_class_names(const SourceFiles& files,
                                          const std::filesystem::path& class_list) {
  if (!class_list.empty()) {
    std::vector<std::string> names;
    for (const MaskClass& entry : read_class_list(class_list)) names.push_back(entry.name);
    return names;
  }
  for (const char* ending : {".yaml", ".yml"}) {
    const auto found = files.with_ending(ending);
    if (!found.empty()) return NamesOfYaml(files.path(found.front())).read();
  }
  throw bad_input(files.source().string() + " has no data.yaml, which names the classes",
                  "give a text file with one name a line as `classes`");
}

bool recognise(const SourceFiles& files) {
  constexpr size_t kLooks = 20;
  const auto candidates = label_files(files);
  int64_t boxes = 0;
  for (size_t i = 0; i < std::min(kLooks, candidates.size()); ++i) {
    try {
      const std::vector<uint16_t> any(65000);
      if (!read_objects(files.path(candidates[i]), any, boxes).empty()) return true;
    } catch (const Error&) {
      return false;
    }
  }
  return boxes > 0;
}

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  ClassNames names;
  std::vector<uint16_t> values;
  for (const std::string& name : read_class_names(files, class_list)) {
    values.push_back(names.value_of(name, "the names of data.yaml"));
  }
  LabelSource source;
  int64_t boxes = 0, objects_read = 0;
  for (const std::string& file : label_files(files)) {
    try {
      const std::string photo = photo_beside(file);
      SourceItem item{.name = photo, .photo = files.find_photo(photo + ".jpg", "")};
      for (const std::string& part : path_parts(folder_of(file))) {
        const std::string split = usual_split(part);
        if (split == "train" || split == "val" || split == "test") item.split = split;
      }
      auto objects =
          std::make_shared<std::vector<YoloObject>>(read_objects(files.path(file), values, boxes));
      objects_read += static_cast<int64_t>(objects->size());
      item.draw = [objects](const PhotoFrame& frame) { return draw(*objects, frame.size); };
      source.items.push_back(std::move(item));
    } catch (const Error& error) {
      source.left_out.push_back({file, reason_of(error)});
    }
  }
  if (boxes > 0 && objects_read == 0) {
    throw bad_input(files.source().string() + " holds boxes, no outlines",
                    "segmentation needs polygons: export the set for instance segmentation");
  }
  if (boxes > 0) source.notes.push_back(counted(boxes, "box") + " without an outline left out");
  source.classes = names.names();
  std::ranges::move(names.notes(), std::back_inserter(source.notes));
  return source;
}

}  // namespace

LabelFormat yolo_format() {
  return {"yolo", "YOLO's segments: text files of polygons and data.yaml", recognise, open};
}

}  // namespace tagclip
