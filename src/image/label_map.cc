#include "image/label_map.h"

#include <png.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "image/codecs.h"
#include "image/png_reader.h"
#include "image/png_writer.h"
#include "io/file_kind.h"

namespace tagclip {
namespace {

constexpr uint8_t kIgnore8 = 255;

std::string_view describe_colour_type(int type) {
  switch (type) {
    case PNG_COLOR_TYPE_RGB:
      return "an RGB picture";
    case PNG_COLOR_TYPE_RGB_ALPHA:
      return "an RGB picture with alpha";
    default:
      return "a grey picture with alpha";
  }
}

void check_is_label_type(const PngReader& reader, const std::string& name) {
  const int type = reader.colour_type();
  if (type == PNG_COLOR_TYPE_PALETTE || type == PNG_COLOR_TYPE_GRAY) return;
  throw bad_input(name + ": expected a label map (a palette or grey PNG whose pixels are class " +
                      "indices), found " + std::string(describe_colour_type(type)),
                  "a label file stores indices, not colours: export the palette (indexed) version");
}

std::vector<uint16_t> from_8_bit(const std::vector<uint8_t>& rows) {
  std::vector<uint16_t> labels(rows.size());
  std::ranges::transform(rows, labels.begin(),
                         [](uint8_t label) { return label == kIgnore8 ? kIgnore : label; });
  return labels;
}

std::vector<uint16_t> from_16_bit(const std::vector<uint8_t>& rows) {
  std::vector<uint16_t> labels(rows.size() / 2);
  std::memcpy(labels.data(), rows.data(), labels.size() * 2);
  return labels;
}

bool fits_8_bits(const LabelMap& map, size_t classes) {
  return classes <= kIgnore8 && std::ranges::all_of(map.labels, [](uint16_t label) {
           return label < kIgnore8 || label == kIgnore;
         });
}

std::vector<std::byte> encode_8_bit(const LabelMap& map, const std::vector<Colour>& palette) {
  std::vector<uint8_t> rows(map.labels.size());
  // kIgnore's low byte is kIgnore8.
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

LabelMap read_label_map(const std::filesystem::path& path, const ImageLimits& limits) {
  const std::vector<std::byte> bytes = read_bytes(path);
  const std::string name = path.string();
  if (!is_png(bytes)) {
    throw bad_input(name + ": expected a label map in a PNG file, found " + describe_bytes(bytes));
  }
  PngReader reader(bytes, name, limits);
  check_is_label_type(reader, name);
  const bool is_16_bit = reader.bit_depth() == 16;
  const std::vector<uint8_t> rows = reader.read(PngSamples::kRaw);
  return {reader.width(), reader.height(), is_16_bit ? from_16_bit(rows) : from_8_bit(rows)};
}

std::vector<std::byte> encode_label_map(const LabelMap& map, const std::vector<Colour>& palette) {
  TAGCLIP_CHECK(map.labels.size() == map.size(), "labels fill the map");
  return fits_8_bits(map, palette.size()) ? encode_8_bit(map, palette) : encode_16_bit(map);
}

void write_label_map(const std::filesystem::path& path, const LabelMap& map,
                     const std::vector<Colour>& palette) {
  write_file(path, encode_label_map(map, palette));
}

std::vector<std::byte> encode_png(const Image& image) {
  TAGCLIP_CHECK(image.pixels.size() == image.size() * 3, "pixels fill the image");
  return encode_png({image.width, image.height, PngContent::Layout::kRgb8, image.pixels, {}});
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

}  // namespace tagclip
