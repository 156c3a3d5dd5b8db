#include "image/png_reader.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/error.h"
#include "image/codecs.h"

namespace tagclip {
namespace {

uint32_t big_endian_u32(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

// libpng takes memory for a chunk as long as it claims to be: hold it to the length of the file.
void check_chunks_fit(std::span<const std::byte> bytes, const std::string& name) {
  constexpr size_t kSignature = 8, kAroundData = 12;  // length, type, checksum
  constexpr uint32_t kEnd = 0x49454E44;               // "IEND"
  bytes = bytes.subspan(kSignature);
  for (bool ended = false; !ended;) {
    if (bytes.size() < kAroundData || big_endian_u32(bytes) > bytes.size() - kAroundData) {
      throw damaged(name, "PNG", "the file ends inside a chunk or before the last one");
    }
    ended = big_endian_u32(bytes.subspan(4)) == kEnd;
    bytes = bytes.subspan(kAroundData + big_endian_u32(bytes));
  }
}

}  // namespace

// libpng reports errors by longjmp: the functions that call setjmp, and those that libpng calls,
// hold no object with a destructor.

void PngReader::on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader.reason_, sizeof reader.reason_, "%s", message);
  png_longjmp(png, 1);
}

void PngReader::on_read(png_structp png, png_bytep out, size_t count) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader.rest_.size()) png_error(png, "the file ends too early");
  std::memcpy(out, reader.rest_.data(), count);
  reader.rest_ = reader.rest_.subspan(count);
}

PngReader::PngReader(std::span<const std::byte> bytes, const std::string& name,
                     const ImageLimits& limits)
    : name_(name), rest_(bytes) {
  check_chunks_fit(bytes, name);
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
  if (samples == PngSamples::kRgb8) {
    png_set_expand(png_);
    png_set_strip_16(png_);
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
  if (!prepare(samples)) fail();
  const size_t stride = png_get_rowbytes(png_, info_);
  TAGCLIP_CHECK(samples == PngSamples::kRaw || stride == static_cast<size_t>(width()) * 3,
                name_ + ": rows of " + std::to_string(stride) + " bytes");
  std::vector<uint8_t> rows(stride * static_cast<size_t>(height()));
  if (!read_rows(rows.data(), stride)) fail();
  return rows;
}

Orientation PngReader::orientation() {
  png_uint_32 count = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(png_, info_, &count, &exif) == 0) return Orientation::kTopLeft;
  return exif_orientation(std::as_bytes(std::span(exif, count)));
}

void PngReader::fail() const { throw damaged(name_, "PNG", reason_); }

}  // namespace tagclip
