#include "data/unseen_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

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

// What messages begin with, and whose mistake it is.
struct Source {
  std::string where;
  ErrorKind kind;
};

std::optional<size_t> index_of(const std::string& name, const std::vector<std::string>& classes) {
  const auto position = std::ranges::find(classes, name);
  if (position == classes.end()) return {};
  return position - classes.begin();
}

// A name or an index.
size_t class_of(const std::string& entry, const std::vector<std::string>& classes,
                const Source& source) {
  if (const auto index = index_of(entry, classes)) return *index;
  if (const auto number = parse_number<uint64_t>(entry)) {
    if (*number < classes.size()) return *number;
    throw Error(source.kind, fmt::format("{}: there is no class {}: they count from 0 to {}",
                                         source.where, entry, classes.size() - 1));
  }
  const auto meant = nearest(entry, classes);
  throw Error(source.kind,
              fmt::format("{}: \"{}\" is no class of the data set", source.where, entry),
              meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
}

std::vector<std::string> entries_of(const std::string& list) {
  std::vector<std::string> entries;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    entries.push_back(checked_trim(list.substr(begin, end - begin), "unseen"));
    if (entries.back().empty()) throw usage_error("unseen: the list \"" + list + "\" has a hole");
    begin = end + 1;
  }
  return entries;
}

// One word that is nothing at all: perhaps a mistyped class, split or file.
void check_lone_word(const std::string& word, const std::vector<std::string>& classes) {
  if (index_of(word, classes) || parse_number<uint64_t>(word)) return;
  std::vector<std::string> candidates = classes;
  candidates.emplace_back("none");
  for (const UnseenSplit& split : unseen_splits()) candidates.emplace_back(split.name);
  const auto meant = nearest(word, candidates);
  throw usage_error(
      fmt::format("unseen: \"{}\" is no class of the data set, no built-in split and no file",
                  word),
      meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
}

}  // namespace

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

std::vector<bool> seen_classes(const std::string& unseen, const std::vector<std::string>& classes) {
  std::vector<bool> seen(classes.size(), true);
  if (unseen == "none") return seen;
  Source source{"unseen", ErrorKind::kUsage};
  std::vector<std::string> entries;
  if (const UnseenSplit* split = find_unseen_split(unseen)) {
    source.where = fmt::format("unseen: the split {}", unseen);
    entries.assign(split->classes.begin(), split->classes.end());
  } else if (names_file(unseen) || looks_like_path(unseen)) {
    source = {unseen, ErrorKind::kBadInput};
    entries = read_names(unseen);
  } else {
    entries = entries_of(unseen);
    if (entries.size() == 1) check_lone_word(entries.front(), classes);
  }
  for (const std::string& entry : entries) seen[class_of(entry, classes, source)] = false;
  return seen;
}

}  // namespace tagclip
