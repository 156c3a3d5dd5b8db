#include "outputs/output_format.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "outputs/formats.h"

namespace tagclip {

const std::vector<OutputFormat>& output_formats() {
  static const std::vector<OutputFormat> kFormats = {
      labels_output(),     overlay_output(),       side_by_side_output(),      masks_output(),
      cutouts_output(),    probabilities_output(), probabilities_png_output(), coco_output(),
      coco_rle_output(),   labelme_output(),       labelme_masks_output(),     yolo_output(),
      cvat_masks_output(), label_studio_output(),  geojson_output(),           fiftyone_output()};
  return kFormats;
}

uint16_t background_label(const std::vector<std::string>& classes) {
  const auto found = std::ranges::find(classes, kBackgroundClass);
  return found == classes.end() ? kIgnoreIndex : static_cast<uint16_t>(found - classes.begin());
}

std::vector<const OutputFormat*> parse_output_formats(const std::string& list) {
  std::vector<std::string> names;
  for (const OutputFormat& format : output_formats()) names.emplace_back(format.name);
  std::set<std::string> wanted;
  for (size_t start = 0; start <= list.size();) {
    const size_t comma = std::min(list.find(',', start), list.size());
    const std::string name(trim(std::string_view(list).substr(start, comma - start)));
    start = comma + 1;
    if (name.empty() || name == "none") continue;
    if (std::ranges::find(names, name) == names.end()) {
      std::string all;
      for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
      throw usage_error("there is no `output_format` called " + name,
                        did_you_mean(name, names, "there are: " + all));
    }
    wanted.insert(name);
  }
  std::vector<const OutputFormat*> formats;
  for (const OutputFormat& format : output_formats()) {
    if (wanted.contains(std::string(format.name))) formats.push_back(&format);
  }
  return formats;
}

std::filesystem::path photo_path(const OutputFormat& format, const std::filesystem::path& folder,
                                 const std::string& stem) {
  std::string name(format.photo_file);
  name.replace(name.find("{}"), 2, stem);
  if (name.ends_with('/')) name.pop_back();
  return folder / name;
}

bool needs_labels(const std::vector<const OutputFormat*>& formats) {
  return std::ranges::any_of(formats, [](const OutputFormat* f) { return !f->run_files.empty(); });
}

std::vector<std::string> class_file_names(const std::vector<std::string>& classes) {
  constexpr size_t kLongest = 100;
  std::vector<std::string> names;
  std::set<std::string> used;
  for (const std::string& name : classes) {
    std::string file = one_line(name);
    for (char& c : file) {
      if (c == '/' || c == '\\') c = '_';
    }
    if (file.size() > kLongest) {
      size_t end = kLongest;
      while (end > 0 && (static_cast<uint8_t>(file[end]) & 0xC0) == 0x80) --end;
      file.resize(end);
    }
    if (file.empty() || file.starts_with('.')) file = "_" + file;
    std::string unique = file;
    // File systems of other machines hold no difference between upper and lower case.
    const auto lower = [](std::string text) {
      for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      return text;
    };
    for (int n = 2; !used.insert(lower(unique)).second; ++n) {
      unique = file + "-" + std::to_string(n);
    }
    names.push_back(unique);
  }
  return names;
}

std::string path_from(const std::filesystem::path& folder, const std::filesystem::path& photo) {
  const auto from = absolute_path(folder), to = absolute_path(photo);
  const auto relative = to.lexically_relative(from);
  return (relative.empty() ? to : relative).generic_string();
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace tagclip
