#include "label_formats/label_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "label_formats/class_names.h"
#include "label_formats/formats.h"

namespace tagclip {
namespace {

bool is_turned_by_quarter(Orientation orientation) { return orientation >= Orientation::kLeftTop; }

// The labels of the stored pixels, turned as the photo is.
LabelMap turned(const LabelMap& stored, Orientation orientation) {
  Image carrier{stored.width, stored.height, std::vector<uint8_t>(stored.size() * 3)};
  for (size_t i = 0; i < stored.size(); ++i) {
    carrier.pixels[i * 3] = static_cast<uint8_t>(stored.labels[i] & 0xFF);
    carrier.pixels[i * 3 + 1] = static_cast<uint8_t>(stored.labels[i] >> 8);
  }
  carrier = upright(std::move(carrier), orientation);
  LabelMap map{carrier.width, carrier.height, std::vector<uint16_t>(carrier.size())};
  for (size_t i = 0; i < map.size(); ++i) {
    map.labels[i] = static_cast<uint16_t>(carrier.pixels[i * 3] | carrier.pixels[i * 3 + 1] << 8);
  }
  return map;
}

std::string formats_text() {
  std::vector<std::string> texts;
  for (const LabelFormat& format : label_formats()) {
    texts.push_back(fmt::format("{} ({})", format.name, format.meaning));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Exports of the same tools that hold no pixels, or that we do not read.
Error fits_none(const SourceFiles& files) {
  const std::string what = files.source().string() + " holds no annotations that are known";
  if (!files.called("annotations.xml").empty()) {
    return bad_input(what + ": it is CVAT's own XML",
                     "export the task from CVAT as \"Segmentation mask 1.1\" or \"COCO 1.0\"");
  }
  if (!files.with_ending(".xml").empty()) {
    return bad_input(what + ": it has XML files, which hold boxes",
                     "segmentation needs outlines or masks: export those");
  }
  return bad_input(what, "known are " + formats_text() + "; `from` says which it is");
}

}  // namespace

const std::vector<LabelFormat>& label_formats() {
  static const std::vector<LabelFormat> formats = {
      labelme_format(),    coco_format(), cvat_masks_format(),  roboflow_masks_format(),
      cityscapes_format(), yolo_format(), colour_masks_format()};
  return formats;
}

std::vector<std::string> label_format_names() {
  std::vector<std::string> names = {"auto"};
  for (const LabelFormat& format : label_formats()) names.emplace_back(format.name);
  return names;
}

const LabelFormat& find_label_format(const SourceFiles& files, const std::string& name) {
  std::vector<const LabelFormat*> fitting;
  for (const LabelFormat& format : label_formats()) {
    if (format.name == name || (name == "auto" && format.recognise(files))) {
      fitting.push_back(&format);
    }
  }
  if (name != "auto" && fitting.empty()) {
    const auto names = label_format_names();
    throw usage_error(fmt::format("there is no kind of annotation called \"{}\"", name),
                      did_you_mean(name, names, fmt::format("one of {}", fmt::join(names, ", "))));
  }
  if (fitting.empty()) throw fits_none(files);
  // Pictures of classes may accompany any other kind.
  if (fitting.size() > 1 && fitting.back()->name == "masks") fitting.pop_back();
  if (fitting.size() == 1) return *fitting.front();
  throw bad_input(fmt::format("{} could be {} or {}", files.source().string(), fitting[0]->name,
                              fitting[1]->name),
                  "`from` says which");
}

LabelMap draw_in_frame(const PhotoFrame& photo, Size seen,
                       const std::function<LabelMap(Size)>& draw) {
  if (seen == Size{} || seen == photo.size) return draw(photo.size);
  if (is_turned_by_quarter(photo.orientation) &&
      seen == Size{photo.size.height, photo.size.width}) {
    return turned(draw(seen), photo.orientation);
  }
  throw bad_input(fmt::format("it is for a photo of {}x{}, but the photo is {}x{}", seen.width,
                              seen.height, photo.size.width, photo.size.height),
                  "was the photo resized or turned after it was annotated?");
}

LabelMap unlabelled_map(Size size) {
  const auto pixels = static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
  return {size.width, size.height, std::vector<uint16_t>(pixels, kUnlabelled)};
}

LabelMap fit_to_frame(const PhotoFrame& photo, LabelMap map) {
  const Size seen{map.width, map.height};
  return draw_in_frame(photo, seen, [&](Size) { return std::move(map); });
}

std::string usual_split(std::string_view name) {
  std::string lower = ascii_lower(name);
  if (lower == "valid" || lower == "validation") return "val";
  if (lower == "training") return "train";
  if (lower == "testing") return "test";
  return lower;
}

}  // namespace tagclip
