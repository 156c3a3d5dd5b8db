#include "image/png_writer.h"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <new>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

// Photos under colours come out 7% larger than at zlib's usual 6, in less than a third of the time.
constexpr int kCompression = 2;
// Of photos: not to try all filters on each row costs 2% of the size and spares a quarter of the
// time.
constexpr int kFilters = PNG_FILTER_SUB | PNG_FILTER_UP;

// Encodes one PNG into memory. libpng reports errors by longjmp: `encode` and what it calls hold no
// object with a destructor.
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

int colour_type(PngContent::Layout layout) {
  switch (layout) {
    case PngContent::Layout::kRgb8:
      return PNG_COLOR_TYPE_RGB;
    case PngContent::Layout::kPalette8:
      return PNG_COLOR_TYPE_PALETTE;
    case PngContent::Layout::kGrey16:
      return PNG_COLOR_TYPE_GRAY;
  }
  return -1;
}

void PngEncoder::write_header(const PngContent& content) {
  const bool grey16 = content.layout == PngContent::Layout::kGrey16;
  png_set_IHDR(png_, info_, static_cast<png_uint_32>(content.width),
               static_cast<png_uint_32>(content.height), grey16 ? 16 : 8,
               colour_type(content.layout), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
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

}  // namespace

std::vector<std::byte> encode_png(const PngContent& content) {
  TAGCLIP_CHECK(content.width > 0 && content.height > 0 && content.palette.size() <= 256,
                "pixels for a PNG");
  PngEncoder encoder;
  if (!encoder.encode(content)) {
    throw failure(std::string("cannot encode a PNG: ") + encoder.reason());
  }
  return encoder.take_bytes();
}

}  // namespace tagclip
