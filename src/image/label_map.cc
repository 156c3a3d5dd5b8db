#include "image/label_map.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/error.h"
#include "base/files.h"
#include "image/jpeg.h"
#include "image/other_formats.h"
#include "image/png.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

constexpr uint8_t kIgnore8 = 255;

std::string_view describe(PngHeader::Colours colours) {
  switch (colours) {
    case PngHeader::Colours::kRgb:
      return "an RGB image";
    case PngHeader::Colours::kRgbAlpha:
      return "an RGB image with alpha";
    default:
      return "a grey image with alpha";
  }
}

void check_holds_labels(const PngHeader& header, const std::string& name) {
  using enum PngHeader::Colours;
  if (header.colours == kPalette || header.colours == kGrey) return;
  throw bad_input(name + ": expected a label map (a palette or grey PNG whose pixels are class " +
                      "indices), found " + std::string(describe(header.colours)),
                  "a label file stores indices, not colours: export the palette (indexed) version");
}

std::vector<uint16_t> from_8_bit(const std::vector<uint8_t>& rows) {
  std::vector<uint16_t> labels(rows.size());
  std::ranges::transform(rows, labels.begin(),
                         [](uint8_t label) { return label == kIgnore8 ? kIgnoreIndex : label; });
  return labels;
}

std::vector<uint16_t> from_16_bit(const std::vector<uint8_t>& rows) {
  std::vector<uint16_t> labels(rows.size() / 2);
  std::memcpy(labels.data(), rows.data(), labels.size() * 2);
  return labels;
}

bool fits_8_bits(const LabelMap& map, size_t classes) {
  return classes <= kIgnore8 && std::ranges::all_of(map.labels, [](uint16_t label) {
           return label < kIgnore8 || label == kIgnoreIndex;
         });
}

std::vector<std::byte> encode_8_bit(const LabelMap& map, const std::vector<Colour>& palette) {
  std::vector<uint8_t> rows(map.labels.size());
  // kIgnoreIndex's low byte is kIgnore8.
  std::ranges::transform(map.labels, rows.begin(),
                         [](uint16_t label) { return static_cast<uint8_t>(label); });
  std::vector<Colour> colours(palette);
  colours.resize(kIgnore8 + 1);
  return encode_png({map.width, map.height, PngContent::Layout::kPalette8, rows, colours});
}

std::vector<std::byte> encode_16_bit(const LabelMap& map) {
  const std::span rows(reinterpret_cast<const uint8_t*>(map.labels.data()), map.labels.size() * 2);
  return encode_png({map.width, map.height, PngContent::Layout::kGrey16, rows, {}});
}

}  // namespace

uint16_t stored_ignore_index(size_t classes) {
  return classes <= kIgnore8 ? kIgnore8 : kIgnoreIndex;
}

LabelMap read_label_map(const std::filesystem::path& path, const ImageLimits& limits) {
  const std::vector<std::byte> bytes = read_bytes(path);
  const std::string name = path.string();
  if (!is_png(bytes)) {
    throw bad_input(name + ": expected a label map in a PNG file, found " + describe_bytes(bytes),
                    is_jpeg(bytes) ? "JPEG blurs the indices: export the labels as PNG again"
                                   : conversion_hint(bytes));
  }
  const auto [header, samples] = decode_png_samples(
      bytes, name, limits, [&](const PngHeader& found) { check_holds_labels(found, name); });
  return {header.width, header.height,
          header.bit_depth == 16 ? from_16_bit(samples) : from_8_bit(samples)};
}

std::vector<std::byte> encode_label_map(const LabelMap& map, const std::vector<Colour>& palette) {
  TAGCLIP_CHECK_EQ(map.labels.size(), map.size(), "labels fill the map");
  return fits_8_bits(map, palette.size()) ? encode_8_bit(map, palette) : encode_16_bit(map);
}

void write_label_map(const std::filesystem::path& path, const LabelMap& map,
                     const std::vector<Colour>& palette) {
  write_file(path, encode_label_map(map, palette));
}

}  // namespace tagclip
