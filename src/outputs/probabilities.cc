#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "image/png.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

static_assert(std::endian::native == std::endian::little, "NumPy's files are written as they lie");

// Scores are computed for so many classes at a time: the maps of all would fill the memory.
constexpr size_t kClassesAtOnce = 8;

// Calls `handle(class, scores)` for every class in turn.
template <class Handle>
void for_scores(const PhotoOutput& output, const Handle& handle) {
  const int count = static_cast<int>(output.run.classes.size());
  for (int first = 0; first < count; first += static_cast<int>(kClassesAtOnce)) {
    std::vector<int> classes;
    for (int c = first; c < count && classes.size() < kClassesAtOnce; ++c) classes.push_back(c);
    const auto maps = output.class_scores(classes);
    for (size_t i = 0; i < classes.size(); ++i) handle(classes[i], maps[i]);
  }
}

// The head of NumPy's format, version 1.0: padded so that the numbers begin at a multiple of 64.
std::string npy_head(size_t classes, int height, int width) {
  constexpr size_t kAlignment = 64, kFixed = 10;
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, {}), }}", classes,
                  height, width);
  text.append((kAlignment - (kFixed + text.size() + 1) % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xFF);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

void write_npy(const PhotoOutput& output, const ByteSink& sink) {
  const LabelMap& map = output.labelled.labels;
  sink(bytes_of(npy_head(output.run.classes.size(), map.height, map.width)));
  for_scores(output, [&](int, const std::vector<float>& scores) {
    sink(std::as_bytes(std::span(scores)));
  });
}

std::vector<NamedFile> write_pngs(const PhotoOutput& output) {
  constexpr float kOne = 65535;
  const LabelMap& map = output.labelled.labels;
  const std::vector<std::string> names = class_file_names(output.run.classes);
  std::vector<NamedFile> files;
  std::vector<uint16_t> grey(map.size());
  for_scores(output, [&](int c, const std::vector<float>& scores) {
    std::ranges::transform(scores, grey.begin(), [](float score) {
      return static_cast<uint16_t>(std::lround(std::clamp(score, 0.0F, 1.0F) * kOne));
    });
    const auto bytes = std::as_bytes(std::span(grey));
    const std::span samples(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    files.push_back(
        {names[static_cast<size_t>(c)] + ".png",
         encode_png({map.width, map.height, PngContent::Layout::kGrey16, samples, {}})});
  });
  return files;
}

}  // namespace

OutputFormat probabilities_output() {
  return {.name = "probabilities",
          .meaning = "the scores of all classes at every pixel: float32 [classes, height, width]",
          .read_by = "NumPy",
          .photo_file = "{}_probabilities.npy",
          .write_photo = write_npy};
}

OutputFormat probabilities_png_output() {
  return {.name = "probabilities-png",
          .meaning = "the same as a 16-bit grey PNG per class: 65535 is 1, below 0 is 0",
          .read_by = "OpenCV, ImageJ, GIMP",
          .photo_file = "probabilities/{}/",
          .photo_folder = write_pngs};
}

}  // namespace tagclip
