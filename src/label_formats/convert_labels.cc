#include "label_formats/convert_labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data_check/image_hash.h"
#include "data_check/parallel_for.h"
#include "image/palette.h"
#include "label_formats/class_names.h"
#include "label_formats/json_values.h"
#include "label_formats/split_groups.h"
#include "text/class_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr double kUsualShare = 0.2;

// A photo with what its labels hold, before anything is written.
struct CheckedItem {
  const SourceItem* item = nullptr;
  PhotoFrame frame;
  ImageHash hash;
  std::map<uint16_t, uint64_t> pixels;  // by value of the drawn map
  std::string ending;                   // ".jpg"
  std::string error;
  std::string name;  // in the set
  std::string split;

  bool is_unlabelled() const {
    return std::ranges::all_of(pixels, [](const auto& entry) {
      return entry.first == kUnlabelled || entry.first == kIgnoreIndex;
    });
  }
};

std::vector<std::byte> photo_bytes(const SourceItem& item) {
  return item.photo.empty() ? item.embedded() : read_bytes(item.photo);
}

std::string ending_of(std::span<const std::byte> bytes) {
  return starts_with(bytes, "\x89PNG") ? ".png" : starts_with(bytes, "RIFF") ? ".webp" : ".jpg";
}

CheckedItem check_item(const SourceItem& item, const ImageLimits& limits) {
  CheckedItem checked{&item};
  try {
    const std::vector<std::byte> bytes = photo_bytes(item);
    const Image photo = decode_image(
        bytes, item.photo.empty() ? "the photo inside of it" : item.photo.string(), limits);
    checked.frame = {{photo.width, photo.height}, orientation_in_file(bytes)};
    checked.hash = image_hash(photo);
    checked.ending = ending_of(bytes);
    for (const uint16_t label : item.draw(checked.frame).labels) ++checked.pixels[label];
  } catch (const Error& error) {
    checked.error = reason_of(error);
  }
  return checked;
}

// Folders that tell how a set is laid out, not where a photo was taken.
bool is_layout(const std::string& part) {
  static const std::unordered_set<std::string> words = {
      "images",      "image",         "img",     "imgs",      "jpegimages", "photos",
      "photo",       "data",          "train",   "val",       "valid",      "validation",
      "test",        "training",      "testing", "train2017", "val2017",    "test2017",
      "labels",      "default",       "img_dir", "train2014", "val2014",    "leftimg8bit",
      "annotations", "obj_train_data"};
  return words.contains(ascii_lower(part));
}

// The name of a photo in the set: its path without the folders of the layout.
std::string set_name(const std::string& source_name) {
  std::vector<std::string> parts = path_parts(source_name);
  if (parts.empty()) return "photo";
  const std::string last = parts.back();
  parts.pop_back();
  std::erase_if(parts, is_layout);
  parts.push_back(last);
  return fmt::format("{}", fmt::join(parts, "/"));
}

bool can_be_listed(const std::string& name) {
  const bool plain = std::ranges::none_of(
      name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
  return plain && is_utf8(name) && name.size() <= 200 && trim(name) == name;
}

// Gives each photo a name of its own; those whose names no list can hold get a number.
void name_items(std::vector<CheckedItem>& items) {
  std::set<std::string> taken;
  size_t number = 0;
  for (CheckedItem& item : items) {
    std::string name = set_name(item.item->name);
    if (!can_be_listed(name)) name = fmt::format("photo_{}", ++number);
    std::string candidate = name;
    for (size_t i = 2; !taken.insert(candidate).second; ++i) {
      candidate = fmt::format("{}_{}", name, i);
    }
    item.name = candidate;
  }
}

// Takes out what cannot be used, and tells why.
void sort_out(std::vector<CheckedItem>& items, Unlabelled unlabelled,
              std::vector<LeftOutItem>& left_out) {
  std::set<std::string> photos;
  std::erase_if(items, [&](const CheckedItem& checked) {
    const SourceItem& item = *checked.item;
    if (!checked.error.empty()) {
      left_out.push_back({item.name, checked.error});
    } else if (checked.is_unlabelled() &&
               (unlabelled == Unlabelled::kVoid || !checked.pixels.contains(kUnlabelled))) {
      left_out.push_back({item.name, "nothing is labelled in it", false});
    } else if (!item.photo.empty() && !photos.insert(item.photo.string()).second) {
      left_out.push_back({item.name, "its photo has annotations already"});
    } else {
      return false;
    }
    return true;
  });
}

// Fills in `split` of all items, by the source's lists or anew.
void split_items(std::vector<CheckedItem>& items, const LabelConvertOptions& options,
                 LabelConversion& conversion) {
  std::vector<ImageHash> hashes;
  for (const CheckedItem& item : items) hashes.push_back(item.hash);
  const std::vector<size_t> groups = near_duplicate_groups(hashes);
  conversion.near_duplicates = items.size() - std::set<size_t>(groups.begin(), groups.end()).size();
  std::set<std::string> own;
  for (const CheckedItem& item : items) own.insert(item.item->split);
  if (!options.val_share && own.contains("train") && own.contains("val") && !own.contains("")) {
    for (CheckedItem& item : items) item.split = item.item->split;
    conversion.splits_are_the_sources = true;
    return;
  }
  std::vector<std::vector<uint16_t>> classes;
  for (const CheckedItem& item : items) {
    auto& shown = classes.emplace_back();
    for (const auto& [value, pixels] : item.pixels) {
      if (value != kUnlabelled && value != kIgnoreIndex) shown.push_back(value);
    }
  }
  const auto validation =
      choose_validation(groups, classes, options.val_share.value_or(kUsualShare),
                        static_cast<uint64_t>(options.seed));
  for (size_t i = 0; i < items.size(); ++i) items[i].split = validation[i] ? "val" : "train";
}

// A folder that disappears again unless it gets its name.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& target) : target_(without_slash(target)) {
    if (is_taken(target_)) {
      const bool is_empty =
          path_status(target_).kind == PathKind::kFolder && list_folder(target_).empty();
      if (!is_empty) {
        throw usage_error(target_.string() + " exists already",
                          "give the name of a new folder, or of an empty one");
      }
    }
    if (target_.has_parent_path()) create_folders(target_.parent_path());
    place_ = target_.string() + fmt::format(".partial-{}", ::getpid());
    if (is_taken(place_)) throw cannot_write(place_, EEXIST);
    create_folders(place_);
  }
  ~NewFolder() {
    if (!place_.empty()) remove_folder(place_);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  fs::path operator/(const std::string& file) const { return place_ / file; }
  const fs::path& target() const { return target_; }

  void appear() {
    rename_path(place_, target_);
    place_.clear();
  }

 private:
  static fs::path without_slash(const fs::path& path) {
    return path.has_filename() ? path : path.parent_path();
  }

  fs::path target_, place_;
};

void place_photo(const CheckedItem& item, const fs::path& target, bool link) {
  create_folders(target.parent_path());
  if (!link || item.item->photo.empty()) {
    write_file(target, photo_bytes(*item.item));
    return;
  }
  create_link(absolute_path(item.item->photo), target);
}

// The labels of an item as the set stores them.
LabelMap final_labels(const CheckedItem& item, bool with_background) {
  LabelMap map = item.item->draw(item.frame);
  for (uint16_t& label : map.labels) {
    if (label == kUnlabelled) {
      label = with_background ? 0 : kIgnoreIndex;
    } else if (label != kIgnoreIndex && with_background) {
      ++label;
    }
  }
  return map;
}

void count(const std::vector<CheckedItem>& items, const std::vector<std::string>& classes,
           bool with_background, LabelConversion& conversion) {
  if (with_background) conversion.classes.push_back({"background"});
  for (const std::string& name : classes) conversion.classes.push_back({name});
  std::map<std::string, size_t> splits;
  for (const CheckedItem& item : items) {
    ++splits[item.split];
    for (const auto& [value, pixels] : item.pixels) {
      conversion.pixels += pixels;
      if (value == kUnlabelled) conversion.unlabelled += pixels;
      if (value == kIgnoreIndex) conversion.void_pixels += pixels;
      if (value == kIgnoreIndex || (value == kUnlabelled && !with_background)) continue;
      ConvertedClass& entry =
          conversion.classes[value == kUnlabelled ? 0 : value + (with_background ? 1U : 0U)];
      entry.pixels += pixels;
      ++entry.photos;
      entry.validation_photos += item.split == "val" ? 1 : 0;
    }
  }
  conversion.splits.assign(splits.begin(), splits.end());
}

// A class as a line of a class file: a name with commas is a name and its synonyms.
std::string class_line(const std::string& name) {
  try {
    std::vector<std::string> words = listed_words(name, "");
    std::ranges::transform(words, words.begin(), quoted_word);
    return fmt::format("{}", fmt::join(words, ", "));
  } catch (const Error&) {  // a bracket that does not close
    return quoted_word(name);
  }
}

void write_lists(const NewFolder& folder, const std::vector<CheckedItem>& items,
                 const LabelConversion& conversion) {
  std::string classes;
  for (const ConvertedClass& entry : conversion.classes) classes += class_line(entry.name) + "\n";
  write_file(folder / "classes.txt", classes);
  std::map<std::string, std::string> lists;
  for (const CheckedItem& item : items) lists[item.split] += item.name + "\n";
  for (const auto& [split, names] : lists) write_file(folder / (split + ".txt"), names);
  write_file(folder / "conversion.json", to_json(conversion));
}

void check_options(const LabelConvertOptions& options) {
  if (options.val_share && !(*options.val_share >= 0 && *options.val_share < 1)) {
    throw usage_error(
        fmt::format("val_share: expected 0 or more and less than 1, found {}", *options.val_share));
  }
}

// Progress over both passes: photos are checked, then written.
class Passes {
 public:
  Passes(size_t items, const ConvertProgress& progress) : items_(items), progress_(progress) {}

  // Calls `work` for each of `count`; false when it was stopped.
  bool run(size_t count, size_t before, const std::function<void(size_t)>& work) {
    bool stopped = false;
    parallel_for(count, work, [&](size_t done) {
      stopped = stopped || !progress_(before + done, 2 * items_);
      return !stopped;
    });
    return !stopped;
  }

 private:
  size_t items_;
  const ConvertProgress& progress_;
};

[[noreturn]] void throw_nothing_left(const LabelConversion& conversion) {
  const auto& left = conversion.left_out;
  throw bad_input(conversion.source.string() + ": no photo with labels is left" +
                  (left.empty() ? ""
                                : fmt::format("; {} left out, first {}: {}", left.size(),
                                              left.front().name, left.front().why)));
}

}  // namespace

std::optional<LabelConversion> convert_labels(const LabelConvertOptions& options,
                                              const ConvertProgress& progress) {
  check_options(options);
  const SourceFiles files(options.source, options.limits);
  const LabelFormat& format = find_label_format(files, options.from);
  NewFolder folder(options.output);
  LabelSource source = format.open(files, options.classes);

  LabelConversion conversion{options.source, folder.target(), std::string(format.name)};
  conversion.unlabelled_became = options.unlabelled;
  conversion.left_out = std::move(source.left_out);
  conversion.notes = std::move(source.notes);
  std::vector<CheckedItem> items(source.items.size());
  Passes passes(items.size(), progress);
  const auto check = [&](size_t i) { items[i] = check_item(source.items[i], options.limits); };
  if (!passes.run(items.size(), 0, check)) return {};
  sort_out(items, options.unlabelled, conversion.left_out);
  if (items.empty() || source.classes.empty()) throw_nothing_left(conversion);
  std::ranges::stable_sort(items, {}, [](const CheckedItem& item) { return item.item->name; });
  name_items(items);
  split_items(items, options, conversion);

  const bool has_unlabelled = std::ranges::any_of(
      items, [](const CheckedItem& item) { return item.pixels.contains(kUnlabelled); });
  const bool with_background = has_unlabelled && options.unlabelled == Unlabelled::kBackground;
  count(items, source.classes, with_background, conversion);
  const auto palette = result_palette(conversion.classes.size());
  const size_t before = source.items.size() + source.items.size() - items.size();
  const bool done = passes.run(items.size(), before, [&](size_t i) {
    const CheckedItem& item = items[i];
    place_photo(item, folder / ("images/" + item.name + item.ending), options.link_photos);
    const fs::path labels = folder / ("labels/" + item.name + ".png");
    create_folders(labels.parent_path());
    write_label_map(labels, final_labels(item, with_background), palette);
  });
  if (!done) return {};
  write_lists(folder, items, conversion);
  folder.appear();
  return conversion;
}

}  // namespace tagclip
