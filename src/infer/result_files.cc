#include "infer/result_files.h"

#include <algorithm>
#include <unordered_set>

#include "base/files.h"
#include "draw/overlay.h"
#include "image/palette.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

const std::string kOverlayEnd = "_overlay.png", kLabelsEnd = "_labels.png",
                  kClassesEnd = "_classes.json";

std::vector<LegendEntry> legend_of(const SegmentedPhoto& result,
                                   const EmbeddedVocabulary& vocabulary,
                                   const std::vector<Colour>& palette) {
  std::vector<LegendEntry> legend;
  for (const FoundClass& found : result.found) {
    if (found.share < kWorthNaming && !legend.empty()) break;
    legend.push_back(
        {palette[found.index], vocabulary.classes[found.index].name(), percent(found.share)});
  }
  if (result.unlabelled > 0)
    legend.push_back({kUnlabelledColour, "unlabelled", percent(result.unlabelled)});
  return legend;
}

}  // namespace

ResultFiles::ResultFiles(const std::filesystem::path& folder, const std::string& stem)
    : overlay(folder / (stem + kOverlayEnd)),
      labels(folder / (stem + kLabelsEnd)),
      classes(folder / (stem + kClassesEnd)) {}

bool ResultFiles::any_exists() const {
  return std::filesystem::exists(overlay) || std::filesystem::exists(labels) ||
         std::filesystem::exists(classes);
}

bool is_result_name(const std::string& name) {
  return name.ends_with(kOverlayEnd) || name.ends_with(kLabelsEnd);
}

std::vector<std::string> result_stems(const std::vector<std::filesystem::path>& photos) {
  std::unordered_set<std::string> taken;
  for (const auto& photo : photos) taken.insert(photo.stem().string());
  std::unordered_set<std::string> used;
  std::vector<std::string> stems;
  for (const auto& photo : photos) {
    const std::string own = photo.stem().string();
    std::string stem = own;
    // A number may not lead to another photo's own name either.
    for (int n = 2; used.contains(stem) || (stem != own && taken.contains(stem)); ++n) {
      stem = own + "-" + std::to_string(n);
    }
    used.insert(stem);
    stems.push_back(stem);
  }
  return stems;
}

Image draw_result(const Image& photo, const SegmentedPhoto& result,
                  const EmbeddedVocabulary& vocabulary) {
  const std::vector<Colour> palette = result_palette(vocabulary.classes.size());
  return draw_overlay(photo, result.labels, palette, legend_of(result, vocabulary, palette));
}

void write_results(const ResultFiles& files, const Image& photo, const SegmentedPhoto& result,
                   const EmbeddedVocabulary& vocabulary, const std::string& classes_json) {
  write_png(files.overlay, draw_result(photo, result, vocabulary));
  write_label_map(files.labels, result.labels, result_palette(vocabulary.classes.size()));
  write_file(files.classes, classes_json);
}

}  // namespace tagclip
