#include "data_check/split_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "data/parallel_for.h"
#include "data_check/image_label_stats.h"

// Photos that are in two splits: validation would ask for what training has shown.

namespace tagclip {
namespace {

using Names = std::vector<std::string>;

std::string photos(size_t count) { return counted(count, "photo"); }

// The names of the pairs for which `is_so` holds.
template <class Predicate>
Names names_where(const CheckedSplit& split, Predicate is_so) {
  Names names;
  for (size_t i = 0; i < split.facts.size(); ++i) {
    if (is_so(split.facts[i])) names.push_back(split.files.pairs[i].name);
  }
  return names;
}

bool differ_in_size(const ImageLabelStats& facts) {
  return facts.readable() && facts.photo != facts.labels;
}

bool is_turned(const ImageLabelStats& facts) {
  return differ_in_size(facts) && facts.photo == Size{facts.labels.height, facts.labels.width};
}

bool is_all_void(const ImageLabelStats& facts) {
  return facts.labels_error.empty() && std::ranges::all_of(facts.values, [](const auto& entry) {
           return entry.first == kIgnore || entry.first == 255;
         });
}

void find_missing(const CheckedSplit& split, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const char* what, const Names& names) {
    if (names.empty()) return;
    findings.push_back(
        {Severity::kError, code,
         fmt::format("{}: {} {}: {}", split.name, photos(names.size()), what, some_of(names)),
         fmt::format("complete the files, or take the names out of {}", split.files.list)});
  };
  add("photos-missing", "of the list not there", split.files.without_photo);
  add("labels-missing", "without label file", split.files.without_labels);
}

// Label files that are pictures in a palette's colours are another mistake.
void find_unreadable(const CheckedSplit& split, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const char* file, std::string ImageLabelStats::* error) {
    const auto fails = [&](const ImageLabelStats& f) {
      return !(f.*error).empty() &&
             (error == &ImageLabelStats::photo_error || f.colours_of.empty());
    };
    const Names names = names_where(split, fails);
    if (names.empty()) return;
    findings.push_back(
        {Severity::kError, code,
         fmt::format("{}: {} cannot be read, first: {}", split.name, counted(names.size(), file),
                     (*std::ranges::find_if(split.facts, fails)).*error),
         "replace it, or take the name out of the list: " + some_of(names)});
  };
  add("photos-unreadable", "photo file", &ImageLabelStats::photo_error);
  add("labels-unreadable", "label file", &ImageLabelStats::labels_error);
}

void find_colour_labels(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names =
      names_where(split, [](const ImageLabelStats& f) { return !f.colours_of.empty(); });
  if (names.empty()) return;
  const auto first = std::ranges::find_if(
      split.facts, [](const ImageLabelStats& f) { return !f.colours_of.empty(); });
  findings.push_back(
      {Severity::kError, "palette-as-rgb",
       fmt::format("{}: the label files of {} are RGB pictures in the colours of the {} palette "
                   "instead of its indices: {}",
                   split.name, photos(names.size()), first->colours_of, some_of(names)),
       "use the original palette PNGs, and copy them without an image library that expands "
       "palettes"});
}

void find_size_mismatches(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names = names_where(split, differ_in_size);
  if (names.empty()) return;
  const size_t turned = names_where(split, is_turned).size();
  const size_t i = std::ranges::find_if(split.facts, differ_in_size) - split.facts.begin();
  const ImageLabelStats& first = split.facts[i];
  findings.push_back(
      {Severity::kError, "sizes-differ",
       fmt::format("{}: {} differ in size from their labels: {} is {}x{}, its labels {}x{}{}",
                   split.name, photos(names.size()), split.files.pairs[i].name, first.photo.width,
                   first.photo.height, first.labels.width, first.labels.height,
                   names.size() > 1 ? fmt::format("; all: {}", some_of(names)) : ""),
       turned == 0 ? "scale both alike, labels by nearest neighbour"
                   : fmt::format("{} are turned: the photo's EXIF orientation is applied, so its "
                                 "labels must be turned, too",
                                 turned)});
}

void find_void(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names = names_where(split, is_all_void);
  if (names.empty()) return;
  findings.push_back({Severity::kWarning, "nothing-labelled",
                      fmt::format("{}: {} without a labelled pixel: {}", split.name,
                                  photos(names.size()), some_of(names)),
                      "they only cost time: take them out of the list"});
}

Names names_of(const std::vector<std::string>& classes, const std::vector<bool>& chosen) {
  Names names;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (chosen[c]) names.push_back(classes[c]);
  }
  return names;
}

void find_swapped(const DatasetInfo& info, std::vector<Finding>& findings) {
  const auto unseen = std::ranges::count(info.seen, false);
  const auto seen = static_cast<ptrdiff_t>(info.seen.size()) - unseen;
  // Published splits hide 1 class of 4 to 1 of 11 (ZS3Net's largest on VOC: half).
  if (unseen <= seen) return;
  findings.push_back(
      {Severity::kError, "seen-unseen-swapped",
       seen == 0 ? fmt::format("all {} classes are unseen: nothing is left to train on", unseen)
                 : fmt::format("{} classes are unseen and only {} seen: the two lists look swapped",
                               unseen, seen),
       "unseen.txt and --unseen list the classes hidden in training"});
}

void find_background(const DatasetInfo& info, std::vector<Finding>& findings) {
  if (!info.begins_with_background() || info.kind->zero_is_background) return;
  findings.push_back(
      {Severity::kWarning, "background-is-a-class",
       "\"background\" is trained and measured like any class",
       "--zero-label reduce (zero_label in a config) makes it void, as zero-shot work "
       "on PASCAL VOC does"});
}

using Names = std::vector<std::string>;

// "a = b" for each photo of `a` that looks like one of `b`; those of one name do not count.
Names copies_between(const CheckedSplit& a, const CheckedSplit& b) {
  // By themselves they stay in the cache: COCO's are compared half a billion times.
  std::vector<uint64_t> hashes;
  for (const ImageLabelStats& facts : a.facts) hashes.push_back(facts.print.hash);
  std::vector<std::string> copy_of(b.facts.size());
  const auto find_copy = [&](size_t j) {
    const ImageHash& print = b.facts[j].print;
    if (!b.facts[j].photo_error.empty()) return;
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (!may_be_duplicates(hashes[i], print) || !a.facts[i].photo_error.empty()) continue;
      const std::string& name = a.files.pairs[i].name;
      if (name == b.files.pairs[j].name || !are_near_duplicates(a.facts[i].print, print)) continue;
      copy_of[j] = name;
      return;
    }
  };
  parallel_for(b.facts.size(), find_copy, [](size_t) { return true; });
  Names names;
  for (size_t j = 0; j < copy_of.size(); ++j) {
    if (!copy_of[j].empty()) {
      names.push_back(fmt::format("{} = {}", copy_of[j], b.files.pairs[j].name));
    }
  }
  return names;
}

Names shared_names(const CheckedSplit& a, const CheckedSplit& b) {
  std::unordered_set<std::string> known;
  for (const LabelledFile& pair : a.files.pairs) known.insert(pair.name);
  Names names;
  for (const LabelledFile& pair : b.files.pairs) {
    if (known.contains(pair.name)) names.push_back(pair.name);
  }
  return names;
}

}  // namespace

void find_file_mistakes(const CheckedSplit& split, std::vector<Finding>& findings) {
  find_missing(split, findings);
  find_unreadable(split, findings);
  find_colour_labels(split, findings);
  find_size_mismatches(split, findings);
  find_void(split, findings);
}

void find_class_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings) {
  find_swapped(info, findings);
  find_background(info, findings);
  const auto absent = [&](const CheckedSplit& split, bool seen) {
    const ClassHistogram census = count_classes(info, split.files.pairs, split.facts);
    std::vector<bool> chosen(info.classes.size());
    for (size_t c = 0; c < chosen.size(); ++c) {
      chosen[c] = info.seen[c] == seen && census.classes[c].files == 0;
    }
    return names_of(info.classes, chosen);
  };
  const CheckedSplit &first = splits.front(), &last = splits.back();
  if (const Names names = absent(first, true); !names.empty()) {
    findings.push_back(
        {Severity::kWarning, "seen-class-absent",
         fmt::format("{}: seen classes that never occur: {}", first.name, some_of(names)),
         "what training never shows is not learnt; check the class list and its "
         "order"});
  }
  const auto unseen = static_cast<size_t>(std::ranges::count(info.seen, false));
  const Names names = absent(last, false);
  if (names.empty()) return;
  findings.push_back({Severity::kWarning, "unseen-class-absent",
                      fmt::format("{}: {} of {} unseen classes never occur: {}", last.name,
                                  names.size(), unseen, some_of(names)),
                      names.size() == unseen ? "nothing will be measured on unseen classes"
                                             : "the mean over unseen classes leaves them out"});
}

void find_near_duplicates(const std::vector<CheckedSplit>& splits, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const CheckedSplit& a, const CheckedSplit& b,
                       const char* what, const Names& names) {
    if (names.empty()) return;
    findings.push_back(
        {Severity::kWarning, code,
         fmt::format("{} photo{} of {} {} {}: {}", names.size(), names.size() == 1 ? "" : "s",
                     b.name, what, a.name, some_of(names)),
         "scores would be too good: keep each in one of the lists"});
  };
  for (size_t a = 0; a < splits.size(); ++a) {
    for (size_t b = a + 1; b < splits.size(); ++b) {
      add("shared-between-splits", splits[a], splits[b], "also in",
          shared_names(splits[a], splits[b]));
      add("near-duplicates", splits[a], splits[b], "nearly the same as one of",
          copies_between(splits[a], splits[b]));
    }
  }
}

}  // namespace tagclip
