#include "infer/outputs.h"

#include <algorithm>
#include <array>
#include <memory>
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
constexpr size_t kClassFile = 2;  // in kOutputs

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

Image draw_overlay(const PhotoResult& result) {
  Image overlay = result.photo;
  colour_classes(overlay, result.segmented.labels,
                 result_palette(result.vocabulary.classes.size()));
  return overlay;
}

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
  const std::string json = to_json(result.segmented, result.vocabulary, result.photo_name,
                                   result.weights_name, result.made_from);
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
  std::vector<std::unique_ptr<AtomicFile>> written;
  for (size_t i = 0; i < files.size(); ++i) {
    written.push_back(std::make_unique<AtomicFile>(files[i]));
    written.back()->write(std::span<const std::byte>(outputs()[i].encode(result)));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    if (i != kClassFile) remove_path(files[i]);
  }
  written[kClassFile]->commit();
  for (size_t i = 0; i < files.size(); ++i) {
    if (i != kClassFile) written[i]->commit();
  }
}

const std::filesystem::path& class_file_of(const std::vector<std::filesystem::path>& files) {
  return files.at(kClassFile);
}

std::optional<std::string> stem_of_image(std::string_view file_name) {
  for (const Output& output : outputs()) {
    if (!output.ending.ends_with(".png") || !file_name.ends_with(output.ending)) continue;
    file_name.remove_suffix(output.ending.size());
    return std::string(file_name);
  }
  return {};
}

bool is_result(const std::filesystem::path& folder, const std::string& stem) {
  return read_made_from(class_file_of(output_files(folder, stem))).has_value();
}

std::string output_stem(const std::filesystem::path& photo) {
  constexpr size_t kMaxName = 255;  // bytes, of a file
  constexpr size_t kRoom = 32;      // for a number and the longest ending
  constexpr size_t kDigits = 8;
  const std::string stem = photo.stem().string();
  if (stem.size() <= kMaxName - kRoom) return stem;
  size_t end = kMaxName - kRoom - kDigits - 1;
  while (end > 0 && (static_cast<uint8_t>(stem[end]) & 0xC0) == 0x80) --end;  // inside a character
  const std::string digest = file_digest(std::as_bytes(std::span(stem)));
  return stem.substr(0, end) + "-" + digest.substr(0, kDigits);
}

std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& photos) {
  std::unordered_set<std::string> taken;
  for (const auto& photo : photos) taken.insert(output_stem(photo));
  std::unordered_set<std::string> used;
  std::vector<std::string> stems;
  for (const auto& photo : photos) {
    const std::string own = output_stem(photo);
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
