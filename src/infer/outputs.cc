#include "infer/outputs.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "draw/overlay.h"
#include "image/palette.h"
#include "image/png.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

constexpr std::array kOutputs = {Output{"overlay", "_overlay.png", encode_overlay},
                                 Output{"labels", "_labels.png", encode_labels},
                                 Output{"classes", "_classes.json", encode_classes}};

std::vector<LegendEntry> legend_of(const PhotoResult& result, const std::vector<Colour>& palette) {
  std::vector<LegendEntry> legend;
  for (const FoundClass& found : result.segmented.found) {
    if (found.share < kWorthNaming && !legend.empty()) break;
    legend.push_back({palette[found.index], result.vocabulary.classes[found.index].name(),
                      percent(found.share)});
  }
  const double unlabelled = result.segmented.unlabelled;
  if (unlabelled > 0) legend.push_back({kUnlabelledColour, "unlabelled", percent(unlabelled)});
  return legend;
}

}  // namespace

std::span<const Output> outputs() { return kOutputs; }

std::vector<std::byte> encode_overlay(const PhotoResult& result) {
  const std::vector<Colour> palette = result_palette(result.vocabulary.classes.size());
  return encode_png(
      draw_overlay(result.photo, result.segmented.labels, palette, legend_of(result, palette)));
}

std::vector<std::byte> encode_labels(const PhotoResult& result) {
  return encode_label_map(result.segmented.labels,
                          result_palette(result.vocabulary.classes.size()));
}

std::vector<std::byte> encode_classes(const PhotoResult& result) {
  const std::string json =
      to_json(result.segmented, result.vocabulary, result.photo_name, result.weights_name);
  const auto bytes = std::as_bytes(std::span(json));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                const std::string& stem) {
  std::vector<std::filesystem::path> files;
  for (const Output& output : outputs()) {
    files.push_back(folder / (stem + std::string(output.ending)));
  }
  return files;
}

void write_outputs(const std::vector<std::filesystem::path>& files, const PhotoResult& result) {
  TAGCLIP_CHECK(files.size() == outputs().size(), "a file per output");
  for (size_t i = 0; i < files.size(); ++i) write_file(files[i], outputs()[i].encode(result));
}

bool is_output_image(std::string_view file_name) {
  return std::ranges::any_of(outputs(), [&](const Output& output) {
    return output.ending.ends_with(".png") && file_name.ends_with(output.ending);
  });
}

std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& photos) {
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

}  // namespace tagclip
