#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "image/image.h"
#include "label_formats/formats.h"
#include "label_formats/mask_pairs.h"

namespace tagclip {
namespace {

// By these names people keep the classes of their masks.
constexpr const char* kClassLists[] = {
    "labelmap.txt", "class_dict.csv",   "label_colors.txt",      "classes.txt", "class_names.txt",
    "classes.csv",  "label_colors.csv", "labels_class_dict.csv", "labels.txt"};

std::filesystem::path find_class_list(const SourceFiles& files) {
  for (const char* name : kClassLists) {
    const auto found = files.called(name);
    if (!found.empty()) return files.path(found.front());
  }
  return {};
}

// The colours of some masks, as lines that a class list may be made of.
std::string colours_of(const SourceFiles& files, const std::vector<MaskFile>& masks) {
  constexpr size_t kLooks = 20, kShown = 12;
  std::map<Colour, size_t> pixels;
  for (size_t i = 0; i < std::min(kLooks, masks.size()); ++i) {
    try {
      const Image picture = read_image(files.path(masks[i].file), files.limits());
      for (size_t p = 0; p < picture.pixels.size(); p += 3) {
        ++pixels[{picture.pixels[p], picture.pixels[p + 1], picture.pixels[p + 2]}];
      }
    } catch (const Error&) {  // told when it is read
    }
  }
  std::vector<std::pair<size_t, Colour>> frequent;
  for (const auto& [colour, count] : pixels) frequent.emplace_back(count, colour);
  std::ranges::sort(frequent, std::greater());
  std::string text;
  for (size_t i = 0; i < std::min(kShown, frequent.size()); ++i) {
    const Colour& c = frequent[i].second;
    text += fmt::format("{}{},{},{}", i == 0 ? "" : "; ", c[0], c[1], c[2]);
  }
  return frequent.size() > kShown ? text + "; ..." : text;
}

bool recognise(const SourceFiles& files) { return !find_masks(files).empty(); }

LabelSource open(const SourceFiles& files, const std::filesystem::path& class_list) {
  const std::vector<MaskFile> masks = find_masks(files);
  if (masks.empty()) {
    throw bad_input(files.source().string() + " holds no masks",
                    "they lie in masks/ or labels/ beside images/, or are called NAME_mask.png");
  }
  const std::filesystem::path list = class_list.empty() ? find_class_list(files) : class_list;
  if (list.empty()) {
    throw bad_input(
        files.source().string() +
            " does not say what the colours of its masks mean: " + colours_of(files, masks),
        "write a text file with a line `road: 128,64,128` for each class, and give it as "
        "`classes`; masks of indices need one name a line, for the values from 0");
  }
  ClassNames names;
  LabelSource source;
  MaskCoding coding = coding_of(read_class_list(list), list, names);
  std::vector<std::string> mask_files;
  for (const MaskFile& mask : masks) mask_files.push_back(mask.file);
  explain_255(mask_files, files, coding, source.notes);
  pair_masks(files, masks, coding, source);
  source.classes = names.names();
  std::ranges::move(names.notes(), std::back_inserter(source.notes));
  source.notes.push_back("classes: " + list.string());
  return source;
}

}  // namespace

LabelFormat colour_masks_format() {
  return {"masks", "photos and pictures of their classes", recognise, open};
}

}  // namespace tagclip
