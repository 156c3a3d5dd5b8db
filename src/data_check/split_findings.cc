#include "data_check/split_findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "data_check/image_label_stats.h"
#include "data_check/parallel_for.h"

namespace tagclip {
namespace {

using Names = std::vector<std::string>;

std::string photos(size_t count) { return counted(count, "photo"); }

// Returns the names of the pairs for which the predicate holds.
template <class Predicate>
Names names_where(const CheckedSplit& split, Predicate predicate) {
  Names names;
  for (size_t i = 0; i < split.stats.size(); ++i) {
    if (predicate(split.stats[i])) names.push_back(split.files.pairs[i].name);
  }
  return names;
}

bool differ_in_size(const ImageLabelStats& stats) {
  return stats.readable() && stats.image_size != stats.label_size;
}

bool is_turned(const ImageLabelStats& stats) {
  return differ_in_size(stats) &&
         stats.image_size == Size{stats.label_size.height, stats.label_size.width};
}

bool is_all_void(const ImageLabelStats& stats) {
  return stats.label_error.empty() &&
         std::ranges::all_of(stats.values, [](const auto& entry) { return is_void(entry.first); });
}

void find_missing(const CheckedSplit& split, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const char* what, const Names& names) {
    if (names.empty()) return;
    findings.push_back(
        {Severity::kError, code,
         fmt::format("{}: {} {}: {}", split.name, photos(names.size()), what, some_of(names)),
         split.files.explanation.empty()
             ? fmt::format("complete the files, or take the names out of {}", split.files.list)
             : split.files.explanation});
  };
  add("photos-missing", "of the list not there", split.files.without_photo);
  add("labels-missing", "without label file", split.files.without_labels);
}

// RGB pictures of classes are reported by find_rgb_labels.
void find_unreadable(const CheckedSplit& split, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const char* file, std::string ImageLabelStats::* error) {
    const auto fails = [&](const ImageLabelStats& f) {
      return !(f.*error).empty() && (error == &ImageLabelStats::image_error || !f.rgb);
    };
    const Names names = names_where(split, fails);
    if (names.empty()) return;
    findings.push_back(
        {Severity::kError, code,
         fmt::format("{}: {} cannot be read, first: {}", split.name, counted(names.size(), file),
                     (*std::ranges::find_if(split.stats, fails)).*error),
         "replace it, or take the name out of the list: " + some_of(names)});
  };
  add("photos-unreadable", "photo file", &ImageLabelStats::image_error);
  add("labels-unreadable", "label file", &ImageLabelStats::label_error);
}

void find_warned_photos(const CheckedSplit& split, std::vector<Finding>& findings) {
  const auto warns = [](const ImageLabelStats& f) { return !f.image_warning.empty(); };
  const Names names = names_where(split, warns);
  if (names.empty()) return;
  findings.push_back(
      {Severity::kWarning, "photos-odd",
       fmt::format("{}: {} read with a warning, first: {}", split.name, photos(names.size()),
                   std::ranges::find_if(split.stats, warns)->image_warning),
       "look at them: " + some_of(names)});
}

// "128,64,128; 0,0,142"
std::string list_colours(const std::vector<Colour>& colours) {
  constexpr size_t kShown = 6;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, colours.size()); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : "; ", fmt::join(colours[i], ","));
  }
  return colours.size() > kShown ? text + "; ..." : text;
}

void find_rgb_labels(const CheckedSplit& split, std::vector<Finding>& findings) {
  constexpr const char* kConvert =
      "tagclip data convert makes indices of them, given the classes with their colours";
  const auto add = [&](const char* code, auto is_so, auto what, const char* advice) {
    const auto fits = [&](const ImageLabelStats& f) { return f.rgb && is_so(*f.rgb); };
    const Names names = names_where(split, fits);
    if (names.empty()) return;
    const auto first = std::ranges::find_if(split.stats, fits);
    findings.push_back({Severity::kError, code,
                        fmt::format("{}: the label files of {} are RGB pictures {}: {}", split.name,
                                    photos(names.size()), what(*first->rgb), some_of(names)),
                        advice});
  };
  const auto is_grey = [](const RgbLabels& rgb) { return rgb.equal_channels; };
  const auto has_palette = [](const RgbLabels& rgb) {
    return !rgb.equal_channels && !rgb.palette.empty();
  };
  const auto has_own = [](const RgbLabels& rgb) {
    return !rgb.equal_channels && rgb.palette.empty();
  };
  add(
      "indices-in-three-channels", is_grey,
      [](const RgbLabels&) { return std::string("with three equal channels"); },
      "save one of the channels as a grey PNG, or let tagclip data convert do it");
  add(
      "palette-as-rgb", has_palette,
      [](const RgbLabels& rgb) {
        return fmt::format("in the colours of the {} palette instead of its indices", rgb.palette);
      },
      "use the original palette PNGs, and copy them without an image library that expands "
      "palettes");
  add(
      "colours-as-labels", has_own,
      [](const RgbLabels& rgb) {
        return fmt::format("in colours of their own ({})", list_colours(rgb.colours));
      },
      kConvert);
}

// EXIF that turns a photo upside down or mirrors it leaves its size as it is.
void find_hidden_turns(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names = names_where(split, [](const ImageLabelStats& f) {
    return f.readable() && f.image_size == f.label_size && f.orientation != Orientation::kTopLeft &&
           f.orientation < Orientation::kLeftTop;
  });
  if (names.empty()) return;
  findings.push_back(
      {Severity::kWarning, "exif-turned",
       fmt::format("{}: EXIF turns {} upside down or mirrors them, which their size does not show: "
                   "{}",
                   split.name, photos(names.size()), some_of(names)),
       "their labels must be drawn over the upright photos, as viewers show them: look at one"});
}

void find_size_mismatches(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names = names_where(split, differ_in_size);
  if (names.empty()) return;
  const size_t turned = names_where(split, is_turned).size();
  const size_t i = std::ranges::find_if(split.stats, differ_in_size) - split.stats.begin();
  const ImageLabelStats& first = split.stats[i];
  findings.push_back(
      {Severity::kError, "sizes-differ",
       fmt::format("{}: {} differ in size from their labels: {} is {}x{}, its labels {}x{}{}",
                   split.name, photos(names.size()), split.files.pairs[i].name,
                   first.image_size.width, first.image_size.height, first.label_size.width,
                   first.label_size.height,
                   names.size() > 1 ? fmt::format("; all: {}", some_of(names)) : ""),
       turned == 0 ? "scale both alike, labels by nearest neighbour"
                   : fmt::format("{} are turned: the photo's EXIF orientation is applied, so its "
                                 "labels must be turned, too",
                                 turned)});
}

void find_void(const CheckedSplit& split, std::vector<Finding>& findings) {
  const Names names = names_where(split, is_all_void);
  if (names.empty() || names.size() == split.stats.size()) return;  // all: find_unlearnable
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
  // Published splits hide between 1 class in 11 and 1 in 4 (ZS3Net's largest on VOC: half).
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

// Whether a split has a label file that can be read.
bool has_labels(const CheckedSplit& split) {
  return std::ranges::any_of(split.stats,
                             [](const ImageLabelStats& f) { return f.label_error.empty(); });
}

// A training split without a pixel that teaches anything, a validation split without one that
// measures.
void find_unlearnable(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                      std::vector<Finding>& findings) {
  for (const CheckedSplit& split : splits) {
    if (!has_labels(split)) continue;
    const ClassHistogram histogram = class_histogram(info, split.files.pairs, split.stats);
    const bool trains = &split == &splits.front();
    uint64_t seen = 0;
    for (size_t c = 0; c < info.classes.size(); ++c) {
      if (info.seen[c]) seen += histogram.classes[c].pixels;
    }
    const std::string photos_text = photos(split.stats.size());
    if (histogram.labelled == 0) {
      findings.push_back(
          {Severity::kError, "nothing-labelled",
           fmt::format("{}: no pixel of the {} has a class: all are void", split.name, photos_text),
           "are these the label files, and does classes.txt name their values?"});
    } else if (trains && seen == 0) {
      findings.push_back(
          {Severity::kError, "no-seen-class",
           fmt::format("{}: no pixel of the {} has a seen class: there is nothing to learn from",
                       split.name, photos_text),
           "unseen.txt and --unseen list the classes hidden in training"});
    }
  }
}

// Class lists that people would not mean.
void find_odd_classes(const DatasetInfo& info, std::vector<Finding>& findings) {
  if (info.classes.size() == 1) {
    findings.push_back(
        {Severity::kWarning, "one-class",
         fmt::format("\"{}\" is the only class: every pixel will be of it", info.classes[0]),
         "name what else is there, too, if only as \"background\""});
  }
  if (!info.kind->classes.empty()) return;
  Names odd;
  for (const std::string& name : info.classes) {
    const bool numbered = !name.empty() && name[0] >= '0' && name[0] <= '9';
    if (numbered || name.find('_') != name.npos) odd.push_back(name);
  }
  if (odd.empty()) return;
  findings.push_back(
      {Severity::kWarning, "class-names",
       fmt::format("class names are read as English words, and these are none: {}", some_of(odd)),
       "write them as in a caption, \"traffic light\" for \"traffic_light\", without numbers"});
}

// Returns "a = b" for each photo of `a` that looks like one of `b`. Two splits of one data set
// share the photos of one name, which are left out.
Names near_duplicates_between(const CheckedSplit& a, const CheckedSplit& b, bool one_set) {
  // A dense array stays in the cache: COCO's hashes are compared half a billion times.
  std::vector<uint64_t> hashes;
  for (const ImageLabelStats& stats : a.stats) hashes.push_back(stats.hash.dhash);
  std::vector<std::string> duplicate_of(b.stats.size());
  const auto find_duplicate = [&](size_t j) {
    const ImageHash& hash = b.stats[j].hash;
    if (!b.stats[j].image_error.empty()) return;
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (!may_be_duplicates(hashes[i], hash) || !a.stats[i].image_error.empty()) continue;
      const std::string& name = a.files.pairs[i].name;
      if ((one_set && name == b.files.pairs[j].name) || !are_near_duplicates(a.stats[i].hash, hash))
        continue;
      duplicate_of[j] = name;
      return;
    }
  };
  parallel_for(b.stats.size(), find_duplicate, [](size_t) { return true; });
  Names names;
  for (size_t j = 0; j < duplicate_of.size(); ++j) {
    if (!duplicate_of[j].empty()) {
      names.push_back(fmt::format("{} = {}", duplicate_of[j], b.files.pairs[j].name));
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
  find_warned_photos(split, findings);
  find_rgb_labels(split, findings);
  find_size_mismatches(split, findings);
  find_hidden_turns(split, findings);
  find_void(split, findings);
}

void find_class_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings) {
  find_swapped(info, findings);
  find_background(info, findings);
  find_odd_classes(info, findings);
  find_unlearnable(info, splits, findings);
  const auto absent = [&](const CheckedSplit& split, bool seen) {
    const ClassHistogram histogram = class_histogram(info, split.files.pairs, split.stats);
    std::vector<bool> chosen(info.classes.size());
    for (size_t c = 0; c < chosen.size(); ++c) {
      chosen[c] = info.seen[c] == seen && histogram.classes[c].files == 0;
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
                      "in the means a class that never occurs counts 0 where it is predicted "
                      "anywhere, and is left out where it is not"});
}

void find_near_duplicates(const std::vector<CheckedSplit>& splits, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const CheckedSplit& a, const CheckedSplit& b,
                       const char* what, const Names& names) {
    if (names.empty()) return;
    findings.push_back({Severity::kWarning, code,
                        fmt::format("{} of {} {} {}: {}", photos(names.size()), b.name, what,
                                    a.name, some_of(names)),
                        "scores would be too good: keep each in one of the lists"});
  };
  for (size_t a = 0; a < splits.size(); ++a) {
    for (size_t b = a + 1; b < splits.size(); ++b) {
      add("shared-between-splits", splits[a], splits[b], "also in",
          shared_names(splits[a], splits[b]));
      add("near-duplicates", splits[a], splits[b], "nearly the same as one of",
          near_duplicates_between(splits[a], splits[b], /*one_set=*/true));
    }
  }
}

void find_near_duplicates_between(const std::string& name_a, const CheckedSplit& a,
                                  const std::string& name_b, const CheckedSplit& b,
                                  std::vector<Finding>& findings) {
  const Names names = near_duplicates_between(a, b, /*one_set=*/false);
  if (names.empty()) return;
  findings.push_back(
      {Severity::kWarning, "near-duplicates",
       fmt::format("{} of {} of {} the same as one of {} of {}, or nearly: {}",
                   photos(names.size()), b.name, name_b, a.name, name_a, some_of(names)),
       "a model trained on both sets is measured on photos that it knows: take them "
       "out of one of the lists"});
}

std::vector<Finding> find_hidden_and_labelled(std::span<const DatasetInfo* const> sets,
                                              std::span<const ListedClass> synonyms) {
  std::vector<Finding> findings;
  for (const HiddenAndLabelled& leak : hidden_and_labelled(sets, synonyms)) {
    const std::string hiding = sets[leak.hiding]->folder.string();
    const std::string labelling = sets[leak.labelling]->folder.string();
    const std::string name = leak.hidden == leak.labelled ? "" : in_quotes(leak.labelled) + " of ";
    if (leak.same_word) {
      findings.push_back({Severity::kWarning, "hidden-and-labelled",
                          fmt::format("{} is unseen in {}, and {}{} labels it",
                                      in_quotes(leak.hidden), hiding, name, labelling),
                          "training on both hides it in both; a model trained on the other set "
                          "alone has seen it"});
    } else {
      findings.push_back(
          {Severity::kWarning, "hidden-under-another-name",
           fmt::format("{} is unseen in {}, and {}{}, which published sets use for the same, is "
                       "labelled",
                       in_quotes(leak.hidden), hiding, name, labelling),
           fmt::format(
               "if they mean the same, training on both shows what should be hidden: say so "
               "in a synonym_list (\"{}, {}\"), or hide both",
               leak.hidden, leak.labelled)});
    }
  }
  return findings;
}

}  // namespace tagclip
