#pragma once

#include <png.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/exif.h"
#include "image/image.h"

namespace tagclip {

// How the samples of a PNG are wanted.
enum class PngSamples {
  kRgb8,  // any colour type as 8-bit RGB, alpha dropped
  kRaw,   // as stored: one byte a sample of 1 to 8 bits, two bytes in native order for 16 bits
};

// One PNG in memory, read by libpng. Throws Error(kBadInput) for damaged or truncated files.
class PngReader {
 public:
  // Reads the header and checks the size against `limits`. `bytes` start with PNG's signature and
  // outlive the reader.
  PngReader(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  int width() const { return static_cast<int>(png_get_image_width(png_, info_)); }
  int height() const { return static_cast<int>(png_get_image_height(png_, info_)); }
  // Before `read`: as stored, 1 to 16 and PNG_COLOR_TYPE_*.
  int bit_depth() const { return png_get_bit_depth(png_, info_); }
  int colour_type() const { return png_get_color_type(png_, info_); }

  // The rows without padding: [height, width x bytes a pixel]. To be called once.
  std::vector<uint8_t> read(PngSamples samples);

  // After `read`: the EXIF block may follow the pixels.
  Orientation orientation();

 private:
  static void on_error(png_structp png, png_const_charp message);
  static void on_read(png_structp png, png_bytep out, size_t count);

  bool read_header();
  bool prepare(PngSamples samples);
  bool read_rows(uint8_t* rows, size_t stride);
  void fail() const;

  std::string name_;
  std::span<const std::byte> rest_;
  char reason_[128] = {};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace tagclip
