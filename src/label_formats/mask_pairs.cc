#include "label_formats/mask_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/split_files.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "label_formats/json_values.h"

namespace tagclip {
namespace {

constexpr int kVoidValue = 255;
// VOC's masks draw boundaries in this colour.
constexpr Colour kCream = {224, 224, 192};

constexpr std::string_view kMaskFolders[] = {
    "masks",       "mask",          "labels",       "label",  "annotations",
    "ann_dir",     "segmentations", "gt",           "gts",    "labelmaps",
    "groundtruth", "ground_truth",  "segmentation", "annots", "labels_png"};
// These folders hold pictures of the same exports that are for people.
constexpr std::string_view kOtherFolders[] = {"segmentationclassvisualization",
                                              "segmentationobject", "segmentationobjectpng",
                                              "segmentationobjectvisualization", "visualization"};

bool is_one_of(const std::string& word, const auto& words) {
  return std::ranges::find(words, word) != std::end(words);
}

bool is_mask_folder(const std::string& part) {
  return is_one_of(part, kMaskFolders) || part == "segmentationclass" ||
         part == "segmentationclasspng" || part == "segmentationclassaug";
}

std::string name_of_colour(const Colour& colour) {
  return fmt::format("{},{},{}", colour[0], colour[1], colour[2]);
}

// A pixel that the coding does not explain.
Error unknown_pixel(const std::string& what, size_t at, int width, size_t count, size_t all) {
  return bad_input(
      fmt::format("its mask has {} at x {}, y {} ({}% of its pixels), which is no class", what,
                  at % width, at / width,
                  percent(static_cast<double>(count) / static_cast<double>(all), 2)),
      "complete the class list, or correct the mask");
}

LabelMap map_colours(const Image& picture, const MaskCoding& coding) {
  LabelMap map{picture.width, picture.height, std::vector<uint16_t>(picture.size())};
  size_t unknown = 0, first = 0;
  auto last = coding.by_colour.end();
  for (size_t i = 0; i < map.size(); ++i) {
    const uint8_t* p = &picture.pixels[i * 3];
    const Colour colour{p[0], p[1], p[2]};
    if (last == coding.by_colour.end() || last->first != colour) {
      last = coding.by_colour.find(colour);
    }
    if (last != coding.by_colour.end()) {
      map.labels[i] = last->second;
    } else if (colour == kCream) {
      map.labels[i] = kIgnoreIndex;
    } else if (unknown++ == 0) {
      first = i;
    }
  }
  if (unknown == 0) return map;
  const uint8_t* p = &picture.pixels[first * 3];
  throw unknown_pixel("the colour " + name_of_colour({p[0], p[1], p[2]}), first, map.width, unknown,
                      map.size());
}

// One channel where all three are equal.
LabelMap grey_values(const Image& picture) {
  LabelMap map{picture.width, picture.height, std::vector<uint16_t>(picture.size())};
  for (size_t i = 0; i < map.size(); ++i) {
    const uint8_t* p = &picture.pixels[i * 3];
    if (p[0] != p[1] || p[1] != p[2]) {
      throw bad_input(fmt::format("its mask has colours ({} at x {}, y {}), but the class list has "
                                  "none",
                                  name_of_colour({p[0], p[1], p[2]}), i % map.width, i / map.width),
                      "give the classes with their colours: a line `road: 128,64,128` each");
    }
    map.labels[i] = p[0] == kVoidValue ? kIgnoreIndex : p[0];
  }
  return map;
}

LabelMap read_values(const std::filesystem::path& mask, const std::vector<std::byte>& bytes,
                     const ImageLimits& limits) {
  const PngHeader header = read_png_header(bytes, mask.string(), limits);
  const bool one_channel =
      header.colours == PngHeader::Colours::kGrey || header.colours == PngHeader::Colours::kPalette;
  return one_channel ? read_label_map(mask, limits)
                     : grey_values(decode_image(bytes, mask.string(), limits));
}

LabelMap map_values(LabelMap map, const MaskCoding& coding) {
  size_t unknown = 0, first = 0;
  for (size_t i = 0; i < map.size(); ++i) {
    uint16_t& label = map.labels[i];
    const uint16_t value = label == kIgnoreIndex ? kVoidValue : label;
    const auto entry = coding.by_value.find(value);
    if (entry != coding.by_value.end()) {
      label = entry->second;
    } else if (label != kIgnoreIndex && unknown++ == 0) {
      first = i;
    }
  }
  if (unknown == 0) return map;
  throw unknown_pixel(fmt::format("the value {}", map.labels[first]), first, map.width, unknown,
                      map.size());
}

// The folders of a file that tell sets or places apart.
std::vector<std::string> telling_folders(const std::string& file) {
  std::vector<std::string> parts;
  for (const std::string& part : path_parts(folder_of(file))) {
    if (!is_mask_folder(ascii_lower(part))) parts.push_back(part);
  }
  return parts;
}

size_t shared_parts(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return static_cast<size_t>(std::ranges::count_if(
      a, [&](const std::string& part) { return std::ranges::find(b, part) != b.end(); }));
}

bool is_for_people(const std::string& file) {
  return std::ranges::any_of(path_parts(folder_of(file)), [](const std::string& part) {
    return is_one_of(ascii_lower(part), kOtherFolders);
  });
}

}  // namespace

MaskCoding coding_of(const std::vector<MaskClass>& list, const std::filesystem::path& path,
                     ClassNames& names) {
  MaskCoding coding;
  for (const MaskClass& entry : list) {
    const uint16_t value = names.value_of(entry.name, path.string());
    if (entry.colour) {
      coding.by_colour.emplace(*entry.colour, value);
    } else {
      coding.by_value.emplace(entry.value, value);
    }
  }
  return coding;
}

LabelMap read_mask(const std::filesystem::path& mask, const MaskCoding& coding,
                   const ImageLimits& limits) {
  const std::vector<std::byte> bytes = read_bytes(mask);
  if (is_jpeg(bytes)) {
    throw bad_input("its mask " + mask.string() + " is a JPEG, which changes colours and values",
                    "export the masks as PNG");
  }
  if (!coding.by_colour.empty()) {
    return map_colours(decode_image(bytes, mask.string(), limits), coding);
  }
  return map_values(read_values(mask, bytes, limits), coding);
}

void explain_255(const std::vector<std::string>& masks, const SourceFiles& files,
                 MaskCoding& coding, std::vector<std::string>& notes) {
  constexpr size_t kLooks = 40;
  if (!coding.by_colour.empty() || coding.by_value.size() > 2 || coding.by_value.contains(255)) {
    return;
  }
  bool has_255 = false;
  for (size_t i = 0; i < std::min(kLooks, masks.size()); ++i) {
    try {
      const auto path = files.path(masks[i * masks.size() / std::min(kLooks, masks.size())]);
      for (const uint16_t value : read_values(path, read_bytes(path), files.limits()).labels) {
        if (value != 0 && value != kIgnoreIndex) return;
        has_255 = has_255 || value == kIgnoreIndex;
      }
    } catch (const Error&) {  // told when it is read
    }
  }
  if (!has_255) return;
  const uint16_t object = coding.by_value.rbegin()->second;
  if (coding.by_value.size() == 1) coding.by_value = {{uint16_t{0}, kUnlabelled}};
  coding.by_value[kVoidValue] = object;
  notes.emplace_back("the masks hold 0 and 255 only: 255 is taken for the last class");
}

std::vector<MaskFile> find_masks(const SourceFiles& files) {
  std::vector<MaskFile> in_folders, by_suffix;
  for (const std::string& file : files.photos()) {
    if (is_for_people(file)) continue;
    const std::string stem = without_ending(file_name(file));
    const std::string name = without_label_suffix(stem);
    const bool in_mask_folder = std::ranges::any_of(
        path_parts(folder_of(file)),
        [](const std::string& part) { return is_mask_folder(ascii_lower(part)); });
    if (in_mask_folder) {
      in_folders.push_back({file, name});
    } else if (name != stem) {
      by_suffix.push_back({file, name});
    }
  }
  // Beside a folder of masks a suffix belongs to the name of a photo.
  return in_folders.empty() ? by_suffix : in_folders;
}

void pair_masks(const SourceFiles& files, const std::vector<MaskFile>& masks,
                const MaskCoding& coding, LabelSource& source) {
  std::set<std::string> taken;
  for (const MaskFile& mask : masks) taken.insert(mask.file);
  std::unordered_multimap<std::string, std::string> photos;  // by name
  for (const std::string& file : files.photos()) {
    if (!taken.contains(file) && !is_for_people(file)) {
      photos.emplace(without_ending(file_name(file)), file);
    }
  }
  const auto shared_coding = std::make_shared<MaskCoding>(coding);
  for (const MaskFile& mask : masks) {
    std::vector<std::string> best;
    size_t most = 0;
    const std::string stem = without_ending(file_name(mask.file));
    const auto [begin, end] = photos.equal_range(photos.contains(stem) ? stem : mask.name);
    for (auto photo = begin; photo != end; ++photo) {
      const size_t shared =
          shared_parts(telling_folders(photo->second), telling_folders(mask.file));
      if (shared > most) best.clear();
      most = std::max(most, shared);
      if (shared == most) best.push_back(photo->second);
    }
    if (best.size() != 1) {
      source.left_out.push_back(
          {mask.file, best.empty()
                          ? fmt::format("its photo {} is not there", mask.name)
                          : fmt::format("its photo could be {}", fmt::join(best, " or "))});
      continue;
    }
    taken.insert(best.front());
    SourceItem item{.name = without_ending(best.front()), .photo = files.path(best.front())};
    for (const std::string& part : path_parts(folder_of(mask.file))) {
      const std::string split = usual_split(part);
      if (split == "train" || split == "val" || split == "test") item.split = split;
    }
    item.draw = [shared_coding, path = files.path(mask.file),
                 limits = files.limits()](const PhotoFrame& photo) {
      return fit_to_frame(photo, read_mask(path, *shared_coding, limits));
    };
    source.items.push_back(std::move(item));
  }
  for (const auto& [name, file] : photos) {
    if (!taken.contains(file)) source.left_out.push_back({file, "it has no mask", false});
  }
}

}  // namespace tagclip
