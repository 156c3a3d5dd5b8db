#include "image/jpeg.h"

// libjpeg's headers lean on declarations that they do not include: this order compiles.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <csetjmp>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "image/exif.h"

namespace tagclip {
namespace {

// A few hundred bytes can ask for thousands of passes over a large image.
constexpr int kMaxScans = 100;

// libjpeg's error manager, with the place to jump to and what was wrong. libjpeg reports errors by
// longjmp, so the functions that call setjmp hold no object with a destructor.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char reason[JMSG_LENGTH_MAX];
};

ErrorManager& manager_of(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

[[noreturn]] void fail(j_common_ptr info) {
  ErrorManager& manager = manager_of(info);
  manager.base.format_message(info, manager.reason);
  std::longjmp(manager.jump, 1);
}

// Warnings about the image's own data mean that pixels were lost; the others (an odd version
// number, a foreign ICC block, padding before the end marker) do not touch the image.
bool pixels_are_lost(const jpeg_error_mgr& error) {
  constexpr int kEndOfImage = 0xD9;
  switch (error.msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      return true;
    case JWRN_EXTRANEOUS_DATA:
      return error.msg_parm.i[1] != kEndOfImage;
    default:
      return false;
  }
}

void on_message(j_common_ptr info, int level) {
  if (level < 0 && pixels_are_lost(*info->err)) fail(info);
}

void limit_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  ErrorManager& manager = manager_of(info);
  std::snprintf(manager.reason, sizeof manager.reason, "more than %d scans", kMaxScans);
  std::longjmp(manager.jump, 1);
}

class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&manager_.base);
    manager_.base.error_exit = fail;
    manager_.base.emit_message = on_message;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // False, with reason(), where the header is damaged.
  bool read_header(std::span<const std::byte> bytes) {
    if (setjmp(manager_.jump) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    progress_.progress_monitor = limit_scans;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    return true;
  }

  // Fills `rows` [height, width, channels]; false, with reason(), where the data are damaged.
  bool read_rows(uint8_t* rows) {
    if (setjmp(manager_.jump) != 0) return false;
    jpeg_start_decompress(&info_);
    const size_t stride = static_cast<size_t>(width()) * channels();
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = rows + info_.output_scanline * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  const char* reason() const { return manager_.reason; }
  int width() const { return static_cast<int>(info_.image_width); }
  int height() const { return static_cast<int>(info_.image_height); }
  bool is_cmyk() const {
    return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
  }
  int channels() const { return is_cmyk() ? 4 : 3; }
  // Adobe stores ink as 255 - amount.
  bool inverted() const { return info_.saw_Adobe_marker; }
  // Must be called before read_rows: libjpeg then forgets the markers.
  Orientation orientation() const;

 private:
  ErrorManager manager_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

Orientation JpegReader::orientation() const {
  constexpr std::string_view kExif("Exif\0\0", 6);
  for (jpeg_saved_marker_ptr marker = info_.marker_list; marker; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (data.starts_with(kExif)) {
      return exif_orientation(std::as_bytes(std::span(data.substr(kExif.size()))));
    }
  }
  return Orientation::kTopLeft;
}

// Converts without a colour profile: a channel's light is what its ink and black let through.
void cmyk_to_rgb(const std::vector<uint8_t>& cmyk, bool inverted, std::vector<uint8_t>& rgb) {
  const auto light = [inverted](uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (size_t i = 0; i < rgb.size() / 3; ++i) {
    const uint8_t* ink = &cmyk[i * 4];
    for (size_t c = 0; c < 3; ++c) {
      rgb[i * 3 + c] = static_cast<uint8_t>((light(ink[c]) * light(ink[3]) + 127) / 255);
    }
  }
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) { return starts_with(bytes, "\xFF\xD8\xFF"); }

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits) {
  JpegReader reader;
  if (!reader.read_header(bytes)) throw damaged(name, "JPEG", reader.reason());
  check_size(name, reader.width(), reader.height(), limits);

  const Orientation orientation = reader.orientation();
  Image image = blank_image(reader.width(), reader.height());
  std::vector<uint8_t> cmyk(reader.is_cmyk() ? image.size() * 4 : 0);
  if (!reader.read_rows(reader.is_cmyk() ? cmyk.data() : image.pixels.data())) {
    throw damaged(name, "JPEG", reader.reason());
  }
  if (reader.is_cmyk()) cmyk_to_rgb(cmyk, reader.inverted(), image.pixels);
  return upright(std::move(image), orientation);
}

ImageSize jpeg_size(std::span<const std::byte> bytes, const std::string& name,
                    const ImageLimits& limits) {
  JpegReader reader;
  if (!reader.read_header(bytes)) throw damaged(name, "JPEG", reader.reason());
  check_size(name, reader.width(), reader.height(), limits);
  // Rows are stored as columns from kLeftTop on.
  if (reader.orientation() < Orientation::kLeftTop) return {reader.width(), reader.height()};
  return {reader.height(), reader.width()};
}

}  // namespace tagclip
