#pragma once

#include <png.h>
#include <webp/encode.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "image/image.h"

// libjpeg's headers lean on declarations that they do not include: this order compiles.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace tagclip {

// Encoders for images made up by tests. Tests only.
using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::span<const uint8_t> data) {
  const auto bytes = std::as_bytes(data);
  return {bytes.begin(), bytes.end()};
}

// Smooth enough for JPEG, different at every pixel.
inline Image gradient_image(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(x * 255 / width));
      image.pixels.push_back(static_cast<uint8_t>(y * 255 / height));
      image.pixels.push_back(static_cast<uint8_t>((x + y) * 255 / (width + height)));
    }
  }
  return image;
}

inline std::vector<uint8_t> random_samples(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> samples(count);
  for (uint8_t& sample : samples) sample = static_cast<uint8_t>(random());
  return samples;
}

struct JpegOptions {
  J_COLOR_SPACE input = JCS_RGB;  // of the samples
  J_COLOR_SPACE stored = JCS_YCbCr;
  int quality = 95;
  bool progressive = false;
  bool arithmetic = false;
  bool adobe_marker = false;
  std::vector<uint8_t> app1;          // content of an APP1 marker, where EXIF lives
  std::vector<jpeg_scan_info> scans;  // an own progression
};

inline int channels_of(J_COLOR_SPACE space) {
  return space == JCS_GRAYSCALE ? 1 : space == JCS_CMYK ? 4 : 3;
}

inline Bytes encode_jpeg(int width, int height, std::span<const uint8_t> samples,
                         const JpegOptions& options) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  errors.error_exit = [](j_common_ptr) { throw std::runtime_error("encode_jpeg"); };
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.in_color_space = options.input;
  info.input_components = channels_of(options.input);
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, options.stored);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  if (!options.scans.empty()) {
    info.scan_info = options.scans.data();
    info.num_scans = static_cast<int>(options.scans.size());
  }
  info.arith_code = options.arithmetic ? TRUE : FALSE;
  info.write_Adobe_marker = options.adobe_marker;
  jpeg_start_compress(&info, TRUE);
  if (!options.app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, options.app1.data(),
                      static_cast<unsigned>(options.app1.size()));
  }
  const size_t stride = static_cast<size_t>(width) * static_cast<size_t>(info.input_components);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<uint8_t*>(samples.data() + info.next_scanline * stride);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes bytes = to_bytes({buffer, size});
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

inline Bytes encode_jpeg(const Image& image, const JpegOptions& options = {}) {
  return encode_jpeg(image.width, image.height, image.pixels, options);
}

struct PngOptions {
  int colour_type = PNG_COLOR_TYPE_RGB;
  int bit_depth = 8;
  bool interlaced = false;
  std::vector<png_color> palette;
  std::vector<uint8_t> palette_alpha;  // of its first entries
  std::vector<uint8_t> exif;           // starts with the TIFF header
  std::function<void(png_structp, png_infop)> extra;
};

// `rows` are packed as PNG packs them: [height, ceil(width x bits a pixel / 8)], 16 bits
// big-endian.
inline Bytes encode_png(int width, int height, std::span<const uint8_t> rows,
                        const PngOptions& options) {
  const auto fail = [](png_structp, png_const_charp text) { throw std::runtime_error(text); };
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, fail, nullptr);
  png_infop info = png_create_info_struct(png);
  Bytes bytes;
  const auto append = [](png_structp writer, png_bytep data, size_t count) {
    auto& out = *static_cast<Bytes*>(png_get_io_ptr(writer));
    const auto added = std::as_bytes(std::span(data, count));
    out.insert(out.end(), added.begin(), added.end());
  };
  png_set_write_fn(png, &bytes, append, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               options.bit_depth, options.colour_type,
               options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!options.palette.empty()) {
    png_set_PLTE(png, info, options.palette.data(), static_cast<int>(options.palette.size()));
  }
  if (!options.palette_alpha.empty()) {
    png_set_tRNS(png, info, options.palette_alpha.data(),
                 static_cast<int>(options.palette_alpha.size()), nullptr);
  }
  if (!options.exif.empty()) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(options.exif.size()),
                   const_cast<png_bytep>(options.exif.data()));
  }
  if (options.extra) options.extra(png, info);
  const size_t stride = rows.size() / static_cast<size_t>(height);
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) {
    pointers.push_back(const_cast<png_bytep>(rows.data() + static_cast<size_t>(y) * stride));
  }
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

inline Bytes encode_webp(const Image& image, bool lossless) {
  uint8_t* output = nullptr;
  const size_t size = lossless ? WebPEncodeLosslessRGB(image.pixels.data(), image.width,
                                                       image.height, image.width * 3, &output)
                               : WebPEncodeRGB(image.pixels.data(), image.width, image.height,
                                               image.width * 3, 90, &output);
  Bytes bytes = to_bytes({output, size});
  WebPFree(output);
  return bytes;
}

// Appends a chunk to a WebP file and mends the file's length.
inline void append_webp_chunk(Bytes& file, std::string_view id, std::span<const uint8_t> content) {
  const auto put = [&](uint8_t byte) { file.push_back(static_cast<std::byte>(byte)); };
  for (const char c : id) put(static_cast<uint8_t>(c));
  for (int i = 0; i < 4; ++i) put(static_cast<uint8_t>(content.size() >> 8 * i));
  for (const uint8_t byte : content) put(byte);
  if (content.size() % 2 == 1) put(0);
  for (size_t i = 0; i < 4; ++i) file[4 + i] = static_cast<std::byte>((file.size() - 8) >> 8 * i);
}

// Puts a chunk before the last one of a PNG file. Its checksum is zero: optional chunks may be so.
inline Bytes with_png_chunk(Bytes file, std::string_view type, std::span<const uint8_t> content) {
  constexpr size_t kEnd = 12;
  Bytes chunk;
  const auto put = [&](uint8_t byte) { chunk.push_back(static_cast<std::byte>(byte)); };
  for (int shift = 24; shift >= 0; shift -= 8) put(static_cast<uint8_t>(content.size() >> shift));
  for (const char c : type) put(static_cast<uint8_t>(c));
  for (const uint8_t byte : content) put(byte);
  for (int i = 0; i < 4; ++i) put(0);
  file.insert(file.end() - kEnd, chunk.begin(), chunk.end());
  return file;
}

// A TIFF header and one directory that holds the orientation alone.
inline std::vector<uint8_t> exif_block(uint8_t orientation, bool big_endian) {
  if (big_endian) {
    return {'M', 'M', 0, 42, 0, 0, 0,           8, 0, 1, 1, 0x12, 0,
            3,   0,   0, 0,  1, 0, orientation, 0, 0, 0, 0, 0,    0};
  }
  return {'I', 'I', 42, 0, 8, 0,           0, 0, 1, 0, 0x12, 1, 3,
          0,   1,   0,  0, 0, orientation, 0, 0, 0, 0, 0,    0, 0};
}

// The content of a JPEG's APP1 marker.
inline std::vector<uint8_t> exif_app1(const std::vector<uint8_t>& block) {
  std::vector<uint8_t> app1{'E', 'x', 'i', 'f', 0, 0};
  app1.insert(app1.end(), block.begin(), block.end());
  return app1;
}

}  // namespace tagclip
