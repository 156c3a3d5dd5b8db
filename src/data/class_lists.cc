#include "data/class_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "text/class_file.h"
#include "text/list_file.h"
#include "text/same_words.h"

namespace tagclip {
namespace {

constexpr std::string_view kVoc[] = {"aeroplane",   "bicycle", "bird",  "boat",      "bottle",
                                     "bus",         "car",     "cat",   "chair",     "cow",
                                     "diningtable", "dog",     "horse", "motorbike", "person",
                                     "pottedplant", "sheep",   "sofa",  "train",     "tvmonitor"};

constexpr std::string_view kContext[] = {
    "aeroplane", "bag",     "bed",      "bedclothes", "bench",       "bicycle",   "bird",
    "boat",      "book",    "bottle",   "building",   "bus",         "cabinet",   "car",
    "cat",       "ceiling", "chair",    "cloth",      "computer",    "cow",       "cup",
    "curtain",   "dog",     "door",     "fence",      "floor",       "flower",    "food",
    "grass",     "ground",  "horse",    "keyboard",   "light",       "motorbike", "mountain",
    "mouse",     "person",  "plate",    "platform",   "pottedplant", "road",      "rock",
    "sheep",     "shelves", "sidewalk", "sign",       "sky",         "snow",      "sofa",
    "table",     "track",   "train",    "tree",       "truck",       "tvmonitor", "wall",
    "water",     "window",  "wood"};

// clang-format off: it would give each name a line.
constexpr std::string_view kCocoStuff[] = {
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush", "banner", "blanket", "branch", "bridge",
    "building-other", "bush", "cabinet", "cage", "cardboard", "carpet", "ceiling-other",
    "ceiling-tile", "cloth", "clothes", "clouds", "counter", "cupboard", "curtain", "desk-stuff",
    "dirt", "door-stuff", "fence", "floor-marble", "floor-other", "floor-stone", "floor-tile",
    "floor-wood", "flower", "fog", "food-other", "fruit", "furniture-other", "grass", "gravel",
    "ground-other", "hill", "house", "leaves", "light", "mat", "metal", "mirror-stuff", "moss",
    "mountain", "mud", "napkin", "net", "paper", "pavement", "pillow", "plant-other", "plastic",
    "platform", "playingfield", "railing", "railroad", "river", "road", "rock", "roof", "rug",
    "salad", "sand", "sea", "shelf", "sky-other", "skyscraper", "snow", "solid-other", "stairs",
    "stone", "straw", "structural-other", "table", "tent", "textile-other", "towel", "tree",
    "vegetable", "wall-brick", "wall-concrete", "wall-other", "wall-panel", "wall-stone",
    "wall-tile", "wall-wood", "water-other", "waterdrops", "window-blind", "window-other", "wood",
};

constexpr std::string_view kAde20k[] = {
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass",
    "cabinet", "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain",
    "chair", "car", "water", "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field",
    "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp", "bathtub", "railing",
    "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter", "sand", "sink",
    "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs", "runway", "case",
    "pool table", "pillow", "screen door", "stairway", "river", "bridge", "bookcase", "blind",
    "coffee table", "toilet", "flower", "book", "hill", "bench", "countertop", "stove", "palm",
    "kitchen island", "computer", "swivel chair", "boat", "bar", "arcade machine", "hovel", "bus",
    "towel", "light", "truck", "tower", "chandelier", "awning", "streetlight", "booth",
    "television receiver", "airplane", "dirt track", "apparel", "pole", "land", "bannister",
    "escalator", "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship", "fountain",
    "conveyer belt", "canopy", "washer", "plaything", "swimming pool", "stool", "barrel", "basket",
    "waterfall", "tent", "bag", "minibike", "cradle", "oven", "ball", "food", "step", "tank",
    "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher", "screen",
    "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan", "fan",
    "pier", "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator", "glass",
    "clock", "flag",
};
// clang-format on

// SPNet's (Xian et al., CVPR 2019), which ZegCLIP and TagCLIP follow.
constexpr std::string_view kVoc5[] = {"pottedplant", "sheep", "sofa", "train", "tvmonitor"};
constexpr std::string_view kCocoStuff15[] = {"cow",        "giraffe", "suitcase",     "frisbee",
                                             "skateboard", "carrot",  "scissors",     "cardboard",
                                             "clouds",     "grass",   "playingfield", "river",
                                             "road",       "tree",    "wall-concrete"};

// ZS3Net's (Bucher et al., NeurIPS 2019), all ten; its smaller ones are the first 2, 4, 6 and 8.
constexpr std::string_view kVocZs3[] = {"cow",   "motorbike",  "aeroplane", "sofa",
                                        "cat",   "tvmonitor",  "train",     "bottle",
                                        "chair", "pottedplant"};
constexpr std::string_view kContextZs3[] = {"cow",      "motorbike", "sofa", "cat",
                                            "boat",     "fence",     "bird", "tvmonitor",
                                            "keyboard", "aeroplane"};

// novel_class of Cascade-CLIP's configs/context_59 (Li et al., ICML 2024).
constexpr std::string_view kContextCascade[] = {
    "aeroplane", "bed", "bedclothes", "boat", "bottle", "car", "cloth", "cow", "keyboard", "plate"};

// The beginning of messages about a list, and the kind of error that its mistakes are.
struct Source {
  std::string where;
  ErrorKind kind;
};

std::vector<std::string> names_of(const std::vector<ClassWords>& classes) {
  std::vector<std::string> names;
  for (const ClassWords& entry : classes) names.push_back(entry.name());
  return names;
}

// A class by one of its words; exactly as it is written, or else as CLIP reads it.
std::optional<size_t> index_of(const std::string& word, const std::vector<ClassWords>& classes) {
  const auto find = [&](const auto& same) -> std::optional<size_t> {
    const auto position = std::ranges::find_if(
        classes, [&](const ClassWords& entry) { return std::ranges::any_of(entry.words, same); });
    if (position == classes.end()) return {};
    return position - classes.begin();
  };
  if (const auto exact = find([&](const std::string& own) { return own == word; })) return exact;
  const std::string spelt = spelling(word);
  return find([&](const std::string& own) { return spelling(own) == spelt; });
}

// A word or an index.
size_t class_of(const std::string& entry, const std::vector<ClassWords>& classes,
                const Source& source) {
  if (const auto index = index_of(entry, classes)) return *index;
  if (const auto number = parse_number<uint64_t>(entry)) {
    if (*number < classes.size()) return *number;
    throw Error(source.kind, fmt::format("{}: there is no class {}: they count from 0 to {}",
                                         source.where, entry, classes.size() - 1));
  }
  const auto meant = nearest(entry, names_of(classes));
  throw Error(source.kind,
              fmt::format("{}: \"{}\" is no class of the data set", source.where, entry),
              meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
}

std::vector<std::string> entries_of(const std::string& list) {
  try {
    return listed_words(list, "unseen");
  } catch (const Error& error) {
    throw usage_error(error.what(), error.hint());
  }
}

// Each word of a list file, one class or several a line.
std::vector<std::string> entries_of_file(const std::string& path) {
  std::vector<std::string> entries;
  for (const ListedClass& line : read_class_file(path)) {
    entries.insert(entries.end(), line.words.begin(), line.words.end());
  }
  return entries;
}

// Rejects a lone word that is neither class, split nor file: it is perhaps mistyped.
void check_lone_word(const std::string& word, const std::vector<ClassWords>& classes) {
  if (index_of(word, classes) || parse_number<uint64_t>(word)) return;
  std::vector<std::string> candidates = names_of(classes);
  candidates.emplace_back("none");
  for (const UnseenSplit& split : unseen_splits()) candidates.emplace_back(split.name);
  const auto meant = nearest(word, candidates);
  throw usage_error(
      fmt::format("unseen: \"{}\" is no class of the data set, no built-in split and no file",
                  word),
      meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
}

}  // namespace

NameList voc_classes() { return kVoc; }

NameList context_classes() { return kContext; }

NameList coco_stuff_classes() { return kCocoStuff; }

NameList coco_object_classes() { return NameList(kCocoStuff).first(80); }

NameList ade20k_classes() { return kAde20k; }

const std::vector<UnseenSplit>& unseen_splits() {
  static const std::vector<UnseenSplit> splits = {{"voc-5", kVoc5},
                                                  {"voc-zs3", kVocZs3},
                                                  {"coco-stuff-15", kCocoStuff15},
                                                  {"context-zs3", kContextZs3},
                                                  {"context-cascade-clip", kContextCascade}};
  return splits;
}

const UnseenSplit* find_unseen_split(std::string_view name) {
  const auto split = std::ranges::find(unseen_splits(), name, &UnseenSplit::name);
  return split == unseen_splits().end() ? nullptr : &*split;
}

std::vector<ClassWords> as_classes(const std::vector<std::string>& names) {
  std::vector<ClassWords> classes;
  for (const std::string& name : names) classes.push_back({{name}});
  return classes;
}

std::vector<bool> seen_classes(const std::string& unseen, const std::vector<ClassWords>& classes) {
  std::vector<bool> seen(classes.size(), true);
  if (unseen == "none") return seen;
  Source source{"unseen", ErrorKind::kUsage};
  std::vector<std::string> entries;
  const bool is_word = is_utf8(unseen) && index_of(unseen, classes).has_value();
  if (const UnseenSplit* split = find_unseen_split(unseen)) {
    source.where = fmt::format("unseen: the split {}", unseen);
    entries.assign(split->classes.begin(), split->classes.end());
  } else if (!is_word && (names_file(unseen) || looks_like_path(unseen))) {
    source = {unseen, ErrorKind::kBadInput};
    entries = entries_of_file(unseen);
  } else {
    entries = entries_of(unseen);
    if (entries.size() == 1) check_lone_word(entries.front(), classes);
  }
  for (const std::string& entry : entries) seen[class_of(entry, classes, source)] = false;
  return seen;
}

}  // namespace tagclip
