#include "data_check/label_diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "image/palette.h"

namespace tagclip {
namespace {

struct Evidence {
  const DatasetInfo& info;
  const LabelMapping& mapping;
  const LabelHistogram& histogram;
  std::vector<int> unexpected;  // values that are no class

  int last() const { return mapping.last_value(); }
  LabelCoding coding() const { return mapping.coding(); }
};

using Diagnosis = std::optional<Finding>;

Finding error(const char* code, std::string what, std::string advice) {
  return {Severity::kError, code, std::move(what), std::move(advice)};
}

// "3, 4 to 9"
std::string list_values(const std::vector<int>& values) {
  constexpr size_t kShown = 6;
  std::vector<std::string> runs;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t begin = i;
    while (i + 1 < values.size() && values[i + 1] == values[i] + 1) ++i;
    runs.push_back(begin == i ? fmt::format("{}", values[i])
                              : fmt::format("{} to {}", values[begin], values[i]));
  }
  const bool cut = runs.size() > kShown;
  if (cut) runs.resize(kShown);
  return fmt::format("{}{}", fmt::join(runs, ", "), cut ? ", ..." : "");
}

// True if some value is unexpected, and by another rule each would be a class.
template <class Rule>
bool explained_by(const Evidence& e, Rule is_class) {
  return !e.unexpected.empty() && std::ranges::all_of(e.histogram.values, [&](const auto& entry) {
    return is_class(entry.first);
  });
}

// The palette's colours were converted to grey levels, as image libraries do when asked for grey.
Diagnosis palette_as_grey(const Evidence& e) {
  // One value in twelve is a grey level of VOC's palette; three by chance: one set in 1,700.
  constexpr size_t kMinUnexpected = 3, kMaxShades = 32;
  if (e.unexpected.size() < kMinUnexpected) return {};
  for (const LabelPalette& palette : label_palettes()) {
    std::set<int> greys;
    for (const auto& [red, green, blue] : palette.colours) {
      greys.insert((299 * red + 587 * green + 114 * blue + 500) / 1000);  // ITU-R 601
    }
    if (greys.size() > kMaxShades) continue;  // so many would explain anything
    greys.insert(220);                        // the cream of VOC's boundaries
    if (!explained_by(e, [&](int value) { return greys.contains(value); })) continue;
    return error("palette-as-grey",
                 fmt::format("the values of the label files ({}) are the grey shades of the {} "
                             "palette: a palette PNG was converted to grey",
                             list_values(e.unexpected), palette.title),
                 "use the original files, or save the palette's indices, not its colours");
  }
  return {};
}

// Labels were resized as photos are: a border between 0 and 4 passes through 1, 2 and 3.
Diagnosis smoothed(const Evidence& e) {
  // Crisp labels have at most 8 in 1,000, at a quarter of their size; bilinear resizing leaves 220
  // or more, at any scale (measured on four data sets).
  constexpr double kMuch = 0.1;
  constexpr uint64_t kEnoughSteps = 300;
  const LabelBorders& borders = e.histogram.borders;
  if (borders.steps < kEnoughSteps || ratio(borders.between, borders.steps) < kMuch) return {};
  return error(
      "smoothed-labels",
      fmt::format("at {:.0f}% of the borders lies a label between the two that meet there: "
                  "the label files were resized or saved like photos, which makes up "
                  "labels",
                  100 * ratio(borders.between, borders.steps)),
      "use the original files; label files are resized by nearest neighbour, and saved as "
      "PNG");
}

// 255 is the object: masks as programs for photos make them.
Diagnosis object_is_255(const Evidence& e) {
  if (e.histogram.values.size() != 1 || !e.histogram.has(0)) return {};
  if (e.histogram.void_pixels.pixels == 0) return {};
  return error(
      "object-is-255",
      fmt::format("the label files hold 0 ({:.0f}% of the pixels) and 255 only, and 255 is "
                  "void: if it marks the object, nothing is learnt of it",
                  100 * e.histogram.share(0)),
      "make 255 into 1, with two lines in classes.txt, as tagclip data convert does");
}

// One was subtracted from every label, void included: 255 became 254.
Diagnosis void_decremented(const Evidence& e) {
  if (e.unexpected != std::vector{254} || e.histogram.void_pixels.pixels > 0) return {};
  return error("void-decremented",
               "label 254 occurs and void, 255, nowhere: one was subtracted from void as well",
               "make 254 into 255");
}

// The label files count from 1: each value less one is a class.
bool counts_from_one(const Evidence& e) {
  return e.coding() != LabelCoding::kZeroBackground &&
         explained_by(e, [&](int value) { return value == 0 || e.mapping.allows(value - 1); });
}

Diagnosis zero_label_not_reduced(const Evidence& e) {
  // Background covers most of a photo. Without this a stray label above the last would make class 0
  // look like background.
  const double much = 2.0 / static_cast<double>(e.info.classes.size());
  if (!counts_from_one(e) || !e.histogram.has(0)) return {};
  if (e.coding() == LabelCoding::kCocoIds) {
    return error("zero-label-not-reduced",
                 fmt::format("the label files hold COCO's ids, 0 (unlabelled) to {}, not ids less "
                             "one",
                             e.histogram.values.rbegin()->first),
                 "subtract 1 from every label and make 0 into 255");
  }
  if (e.histogram.share(0) < much) return {};
  return error(
      "zero-label-not-reduced",
      fmt::format("labels go from 0 to {}, but there are {} classes: the zero label, {:.0f}% "
                  "of the pixels, is background and was not reduced",
                  e.last() + 1, e.info.classes.size(), 100 * e.histogram.share(0)),
      "add the line \"background\" before the first of classes.txt; --zero-label reduce "
      "(zero_label in a config) then makes it void");
}

Diagnosis ids_off_by_one(const Evidence& e) {
  if (!counts_from_one(e) || e.histogram.has(0)) return {};
  return error(
      "ids-off-by-one",
      fmt::format("labels go from {} to {} and 0 never occurs, but the {} classes have the "
                  "values 0 to {}: the ids count from one",
                  e.histogram.values.begin()->first, e.histogram.values.rbegin()->first,
                  e.info.classes.size(), e.last()),
      "subtract 1 from every label but void");
}

// One of COCO-Stuff's two kinds of label files has the name of the other.
Diagnosis other_coco_ids(const Evidence& e) {
  if (e.info.kind->name != "coco-stuff") return {};
  const bool ids = e.coding() == LabelCoding::kCocoIds;
  const LabelMapping other(ids ? LabelCoding::kClasses : LabelCoding::kCocoIds,
                           e.info.classes.size());
  if (!explained_by(e, [&](int value) { return other.allows(value); })) return {};
  return ids ? error(
                   "train-ids-as-ids",
                   "the label files hold the train ids 0 to 170 under the names of the pixel maps "
                   "(ids less one)",
                   "call them NAME_labelTrainIds.png")
             : error("ids-as-train-ids",
                     "the *_labelTrainIds.png files hold COCO's ids less one, not train ids",
                     "call them NAME.png");
}

// The labels were reduced (background made void, classes from 0 on) before, and are reduced again.
Diagnosis reduced_twice(const Evidence& e) {
  const bool expects_background =
      e.coding() == LabelCoding::kZeroBackground || e.info.begins_with_background();
  // Boundaries alone are about 5% of the pixels; void that was background is most of them.
  constexpr double kMuchVoid = 0.3;
  if (!expects_background || !e.unexpected.empty() || e.histogram.has(e.last())) return {};
  if (static_cast<int>(e.histogram.values.size()) < e.last())
    return {};  // another class is missing, too
  if (e.histogram.void_share() < kMuchVoid || e.histogram.void_share() < e.histogram.share(0))
    return {};
  return error(
      "zero-label-reduced-twice",
      fmt::format("label {} never occurs, all below do, and {:.0f}% of the pixels are void: "
                  "these labels are without background already",
                  e.last(), 100 * e.histogram.void_share()),
      "use the original label files, or make a folder set of these, whose classes.txt has "
      "no background");
}

Diagnosis out_of_range(const Evidence& e) {
  if (e.unexpected.empty()) return {};
  uint64_t pixels = 0;
  for (const int value : e.unexpected) pixels += e.histogram.values.at(value).pixels;
  const LabelCount& first = e.histogram.values.at(e.unexpected.front());
  return error(
      "labels-out-of-range",
      fmt::format("no class has the label {} ({} pixels; first in {}): the {} classes end at "
                  "{}, void is 255",
                  list_values(e.unexpected), pixels, first.first, e.info.classes.size(), e.last()),
      "complete the class list, or make these pixels void");
}

}  // namespace

std::optional<Finding> diagnose_labels(const DatasetInfo& info, size_t kind,
                                       const LabelHistogram& histogram) {
  Evidence evidence{info, info.mappings[kind], histogram};
  for (const auto& [value, count] : histogram.values) {
    if (!evidence.mapping.allows(value)) evidence.unexpected.push_back(value);
  }
  for (const auto explain :
       {object_is_255, smoothed, void_decremented, other_coco_ids, zero_label_not_reduced,
        ids_off_by_one, palette_as_grey, reduced_twice, out_of_range}) {
    if (Diagnosis diagnosis = explain(evidence)) return diagnosis;
  }
  return {};
}

}  // namespace tagclip
