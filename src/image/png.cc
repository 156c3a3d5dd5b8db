#include "image/png.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

uint32_t big_endian_u32(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

constexpr size_t kSignature = 8, kAroundData = 12;  // length, type, checksum
constexpr std::string_view kEndChunk("\0\0\0\0IEND\xAE\x42\x60\x82", kAroundData);

// The chunks of a file.
struct PngChunks {
  std::span<const std::byte> bytes;  // with the signature, without a part of the last chunk
  bool lacks_end = false;            // the last chunk, which holds nothing, is not whole
};

// libpng takes memory for a chunk as long as it claims to be: hold it to the length of the file.
PngChunks checked_chunks(std::span<const std::byte> bytes, const std::string& name) {
  constexpr uint32_t kEnd = 0x49454E44;  // "IEND"
  for (size_t at = kSignature;;) {
    const auto rest = bytes.subspan(at);
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    if (rest.size() < kAroundData && kEndChunk.starts_with(text)) return {bytes.first(at), true};
    if (rest.size() < kAroundData || big_endian_u32(rest) > rest.size() - kAroundData) {
      throw damaged(name, "PNG", "the file ends inside a chunk or before the last one");
    }
    if (big_endian_u32(rest.subspan(4)) == kEnd) return {bytes, false};
    at += kAroundData + big_endian_u32(rest);
  }
}

// Apple's tools write PNGs for iOS alone: another compression, blue before red.
void check_not_crushed(std::span<const std::byte> bytes, const std::string& name) {
  if (!starts_with(bytes.subspan(std::min(bytes.size(), kSignature + 4)), "CgBI")) return;
  throw bad_input(
      name + ": a PNG crushed for iOS (CgBI) is not supported",
      "restore it with Xcode's pngcrush: pngcrush -revert-iphone-optimizations in.png out.png");
}

PngHeader::Colours colours_of(int colour_type) {
  switch (colour_type) {
    case PNG_COLOR_TYPE_PALETTE:
      return PngHeader::Colours::kPalette;
    case PNG_COLOR_TYPE_RGB:
      return PngHeader::Colours::kRgb;
    case PNG_COLOR_TYPE_RGB_ALPHA:
      return PngHeader::Colours::kRgbAlpha;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return PngHeader::Colours::kGreyAlpha;
    default:
      return PngHeader::Colours::kGrey;
  }
}

enum class PngSamples {
  kRgb,  // any colour type as RGB, alpha dropped; 8 bits, or 16, big-endian, of a file of 16
  kRaw,  // as stored: one byte a sample of 1 to 8 bits, two bytes in native order for 16 bits
};

// One PNG in memory, read by libpng. libpng reports errors by longjmp: the functions that call
// setjmp, and those that libpng calls, hold no object with a destructor.
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
  // Must be called before `read`.
  PngHeader header() const {
    return {width(), height(), png_get_bit_depth(png_, info_),
            colours_of(png_get_color_type(png_, info_))};
  }

  // The rows without padding: [height, width x bytes a pixel]. To be called once.
  std::vector<uint8_t> read(PngSamples samples);

  // Whether the last chunk, which holds nothing, is missing.
  bool lacks_end() const { return lacks_end_; }

 private:
  static void on_error(png_structp png, png_const_charp message);
  static void on_read(png_structp png, png_bytep out, size_t count);

  bool read_header();
  bool prepare(PngSamples samples);
  bool read_rows(uint8_t* rows, size_t stride);
  void fail() const;

  std::string name_;
  std::span<const std::byte> rest_;
  bool lacks_end_ = false;
  char reason_[128] = {};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void PngReader::on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader.reason_, sizeof reader.reason_, "%s", message);
  png_longjmp(png, 1);
}

void PngReader::on_read(png_structp png, png_bytep out, size_t count) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (reader.rest_.empty() && reader.lacks_end_) {
    reader.rest_ = std::as_bytes(std::span(kEndChunk));
  }
  if (count > reader.rest_.size()) png_error(png, "the file ends too early");
  std::memcpy(out, reader.rest_.data(), count);
  reader.rest_ = reader.rest_.subspan(count);
}

PngReader::PngReader(std::span<const std::byte> bytes, const std::string& name,
                     const ImageLimits& limits)
    : name_(name) {
  check_not_crushed(bytes, name);
  const PngChunks chunks = checked_chunks(bytes, name);
  rest_ = chunks.bytes;
  lacks_end_ = chunks.lacks_end;
  const auto ignore_warning = [](png_structp, png_const_charp) {};
  png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, ignore_warning);
  if (png_ == nullptr) throw std::bad_alloc();
  try {
    if (!read_header()) fail();
    check_size(name_, png_get_image_width(png_, info_), png_get_image_height(png_, info_), limits);
  } catch (...) {
    png_destroy_read_struct(&png_, &info_, nullptr);
    throw;
  }
}

PngReader::~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

bool PngReader::read_header() {
  constexpr png_uint_32 kMaxChunks = 1000;  // of text, profiles and the like
  constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  info_ = png_create_info_struct(png_);
  if (info_ == nullptr) png_error(png_, "out of memory");
  png_set_read_fn(png_, this, on_read);
  png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size says it better
  png_set_chunk_cache_max(png_, kMaxChunks);
  png_set_chunk_malloc_max(png_, kMaxChunkBytes);
  png_read_info(png_, info_);
  return true;
}

bool PngReader::prepare(PngSamples samples) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  if (samples == PngSamples::kRgb) {
    png_set_expand(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
  } else {
    png_set_packing(png_);
    png_set_swap(png_);
  }
  png_set_interlace_handling(png_);
  png_read_update_info(png_, info_);
  return true;
}

bool PngReader::read_rows(uint8_t* rows, size_t stride) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  const int passes = png_get_interlace_type(png_, info_) == PNG_INTERLACE_ADAM7 ? 7 : 1;
  const png_uint_32 height = png_get_image_height(png_, info_);
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < height; ++y) png_read_row(png_, rows + y * stride, nullptr);
  }
  png_read_end(png_, info_);
  return true;
}

std::vector<uint8_t> PngReader::read(PngSamples samples) {
  const bool wide = header().bit_depth == 16;
  if (!prepare(samples)) fail();
  const size_t stride = png_get_rowbytes(png_, info_);
  const size_t rgb = static_cast<size_t>(width()) * (wide ? 6 : 3);
  TAGCLIP_CHECK(samples == PngSamples::kRaw || stride == rgb,
                name_ + ": rows of " + std::to_string(stride) + " bytes");
  std::vector<uint8_t> rows(stride * static_cast<size_t>(height()));
  if (!read_rows(rows.data(), stride)) fail();
  return rows;
}

void PngReader::fail() const { throw damaged(name_, "PNG", reason_); }

// Overlays come out 7% larger than at zlib's usual 6, in less than a third of the time.
constexpr int kCompression = 2;
// Photos are written without trying all filters on each row, which costs 2% of the size and saves a
// quarter of the time.
constexpr int kFilters = PNG_FILTER_SUB | PNG_FILTER_UP;

// Encodes one PNG into memory. As in PngReader, `encode` and what it calls hold no object with a
// destructor.
class PngEncoder {
 public:
  PngEncoder() {
    const auto ignore_warning = [](png_structp, png_const_charp) {};
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, ignore_warning);
    if (png_ == nullptr) throw std::bad_alloc();
  }
  ~PngEncoder() { png_destroy_write_struct(&png_, &info_); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  // False, with reason(), when libpng gives up.
  bool encode(const PngContent& content);

  std::vector<std::byte> take_bytes() { return std::move(encoded_); }
  const char* reason() const { return reason_; }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto& encoder = *static_cast<PngEncoder*>(png_get_error_ptr(png));
    std::snprintf(encoder.reason_, sizeof encoder.reason_, "%s", message);
    png_longjmp(png, 1);
  }
  static void on_write(png_structp png, png_bytep data, size_t count) {
    if (!static_cast<PngEncoder*>(png_get_io_ptr(png))->append(data, count)) {
      png_error(png, "out of memory");
    }
  }
  static void on_flush(png_structp) {}

  bool append(const uint8_t* data, size_t count) noexcept {
    try {
      const auto bytes = std::as_bytes(std::span(data, count));
      encoded_.insert(encoded_.end(), bytes.begin(), bytes.end());
      return true;
    } catch (const std::bad_alloc&) {  // must not unwind through libpng's C frames
      return false;
    }
  }
  void write_header(const PngContent& content);

  std::vector<std::byte> encoded_;
  char reason_[128] = {};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

int colour_type_of(PngContent::Layout layout) {
  switch (layout) {
    case PngContent::Layout::kRgb8:
      return PNG_COLOR_TYPE_RGB;
    case PngContent::Layout::kPalette8:
      return PNG_COLOR_TYPE_PALETTE;
    case PngContent::Layout::kGrey8:
    case PngContent::Layout::kGrey16:
      return PNG_COLOR_TYPE_GRAY;
  }
  return -1;
}

void PngEncoder::write_header(const PngContent& content) {
  const bool grey16 = content.layout == PngContent::Layout::kGrey16;
  png_set_IHDR(png_, info_, static_cast<png_uint_32>(content.width),
               static_cast<png_uint_32>(content.height), grey16 ? 16 : 8,
               colour_type_of(content.layout), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (content.layout == PngContent::Layout::kPalette8) {
    png_color colours[PNG_MAX_PALETTE_LENGTH] = {};
    for (size_t i = 0; i < content.palette.size(); ++i) {
      colours[i] = {content.palette[i][0], content.palette[i][1], content.palette[i][2]};
    }
    png_set_PLTE(png_, info_, colours, static_cast<int>(content.palette.size()));
  }
  png_write_info(png_, info_);
  if (grey16) png_set_swap(png_);
}

bool PngEncoder::encode(const PngContent& content) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  info_ = png_create_info_struct(png_);
  if (info_ == nullptr) png_error(png_, "out of memory");
  png_set_write_fn(png_, this, on_write, on_flush);
  png_set_compression_level(png_, kCompression);
  if (content.layout == PngContent::Layout::kRgb8) png_set_filter(png_, 0, kFilters);
  write_header(content);
  const size_t stride = content.samples.size() / static_cast<size_t>(content.height);
  for (int y = 0; y < content.height; ++y) png_write_row(png_, content.samples.data() + y * stride);
  png_write_end(png_, info_);
  return true;
}

// Reduces samples of 16 bits, big-endian, to their high bytes, as all readers of 8 bits do. Returns
// a warning where hardly anything is left: sensors of 10 or 12 bits are often stored so.
std::string keep_high_bytes(std::vector<uint8_t>& samples, const std::string& name) {
  constexpr int kDark = 1 << 14;
  int brightest = 0;
  for (size_t i = 0; i < samples.size() / 2; ++i) {
    brightest = std::max(brightest, samples[2 * i] << 8 | samples[2 * i + 1]);
    samples[i] = samples[2 * i];
  }
  samples.resize(samples.size() / 2);
  if (brightest == 0 || brightest >= kDark) return {};
  int bits = 8;  // sensors have 8, 10, 12 or 14
  while (brightest >= 1 << bits) bits += 2;
  return fmt::format(
      "{}: the brightest value of this 16-bit PNG is {} of 65535, so it is nearly black: if it "
      "holds data of {} bits, spread them first: magick in.png -evaluate multiply {} out.png",
      name, brightest, bits, 1 << (16 - bits));
}

}  // namespace

bool is_png(std::span<const std::byte> bytes) { return starts_with(bytes, "\x89PNG\r\n\x1A\n"); }

Image decode_png(std::span<const std::byte> bytes, const std::string& name,
                 const ImageLimits& limits) {
  PngReader reader(bytes, name, limits);
  const PngHeader header = reader.header();
  Image image{reader.width(), reader.height(), reader.read(PngSamples::kRgb)};
  if (header.bit_depth == 16) image.warning = keep_high_bytes(image.pixels, name);
  if (reader.lacks_end()) {
    image.warning = name + ": the PNG lacks its end chunk; all its pixels are there";
  }
  return image;
}

PngHeader read_png_header(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits) {
  return PngReader(bytes, name, limits).header();
}

PngSampleRows decode_png_samples(std::span<const std::byte> bytes, const std::string& name,
                                 const ImageLimits& limits,
                                 const std::function<void(const PngHeader&)>& accept) {
  PngReader reader(bytes, name, limits);
  if (reader.lacks_end()) throw damaged(name, "PNG", "its end chunk is missing");
  const PngHeader header = reader.header();
  if (accept) accept(header);
  return {header, reader.read(PngSamples::kRaw)};
}

std::vector<std::byte> encode_png(const PngContent& content) {
  TAGCLIP_CHECK(content.width > 0 && content.height > 0 && content.palette.size() <= 256,
                "pixels for a PNG");
  PngEncoder encoder;
  if (!encoder.encode(content)) {
    throw failure(std::string("cannot encode a PNG: ") + encoder.reason());
  }
  return encoder.take_bytes();
}

std::vector<std::byte> encode_png(const Image& image) {
  TAGCLIP_CHECK_EQ(image.pixels.size(), image.size() * 3, "pixels fill the image");
  return encode_png({image.width, image.height, PngContent::Layout::kRgb8, image.pixels, {}});
}

void write_png(const std::filesystem::path& path, const PngContent& content) {
  write_file(path, encode_png(content));
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

}  // namespace tagclip
