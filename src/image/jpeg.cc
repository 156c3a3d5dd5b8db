#include "image/jpeg.h"

// libjpeg's headers lean on declarations that they do not include: this order compiles.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <string>
#include <vector>

#include "base/error.h"

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
  int code;               // libjpeg's number of what was wrong
  int detail;             // and the first number of its message
  bool reading_rows;      // the header was read
  bool lacks_end_marker;  // the data were used up before one came
};

ErrorManager& manager_of(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

[[noreturn]] void fail(j_common_ptr info) {
  ErrorManager& manager = manager_of(info);
  manager.base.format_message(info, manager.reason);
  manager.code = manager.base.msg_code;
  manager.detail = manager.base.msg_parm.i[0];
  std::longjmp(manager.jump, 1);
}

// Warnings about the image's own data mean that pixels were lost; the others (an odd version
// number, a foreign ICC block, padding before the end marker) do not touch the image. Where the
// data end without a marker, decoding goes on as if it stood there: libjpeg warns again when a
// pixel needs more than there was. Padding then means an unfinished download.
bool pixels_are_lost(ErrorManager& manager) {
  constexpr int kEndOfImage = 0xD9;
  const jpeg_error_mgr& error = manager.base;
  switch (error.msg_code) {
    case JWRN_JPEG_EOF:
      manager.lacks_end_marker = true;
      return !manager.reading_rows;
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
      return true;
    case JWRN_EXTRANEOUS_DATA:
      return error.msg_parm.i[1] != kEndOfImage || manager.lacks_end_marker;
    default:
      return false;
  }
}

void on_message(j_common_ptr info, int level) {
  if (level < 0 && pixels_are_lost(manager_of(info))) fail(info);
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
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    manager_.reading_rows = true;
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
    const bool whole = has_every_scan();  // the end of the data frees what it looks at
    jpeg_finish_decompress(&info_);
    if (!manager_.lacks_end_marker || whole) return true;
    std::snprintf(manager_.reason, sizeof manager_.reason, "the file ends too early");
    return false;
  }

  // What was wrong where a function returned false.
  Error error(const std::string& name) const;
  bool lacks_end_marker() const { return manager_.lacks_end_marker; }
  int width() const { return static_cast<int>(info_.image_width); }
  int height() const { return static_cast<int>(info_.image_height); }
  bool is_cmyk() const {
    return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
  }
  int channels() const { return is_cmyk() ? 4 : 3; }

 private:
  bool has_every_scan() const;

  ErrorManager manager_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

// Whether the scans held every coefficient to its last bit. The decoder of arithmetic coding takes
// what is missing for zeros, without a word.
bool JpegReader::has_every_scan() const {
  if (info_.arith_code) return false;
  for (int c = 0; c < info_.num_components; ++c) {
    if (info_.comp_info[c].quant_table == nullptr) return false;  // set by a component's first scan
    if (!info_.progressive_mode) continue;
    const int* missing_bits = info_.coef_bits[c];
    if (std::any_of(missing_bits, missing_bits + DCTSIZE2, [](int bits) { return bits != 0; })) {
      return false;
    }
  }
  return true;
}

// A kind of JPEG that this libjpeg does not decode, though nothing is wrong with the file.
struct UnsupportedKind {
  std::string what;  // "a JPEG of 12 bits per sample"; empty where the file is damaged
  std::string advice;
};

constexpr int kJpegLs = 0xF7;  // the marker of its frames
constexpr const char* kTurbo3 =
    "convert it with libjpeg-turbo 3 or later: djpeg -outfile out.ppm in.jpg, then magick out.ppm "
    "out.png";

UnsupportedKind kind_of_frame(int marker) {
  switch (marker) {
    case 0xC3:
    case 0xCB:
      return {"a lossless JPEG", kTurbo3};
    case kJpegLs:
      return {"a JPEG-LS image", "convert it to PNG: ffmpeg -i in.jls out.png"};
    default:  // hierarchical ones and extensions, which no usual program writes
      return {fmt::format("a JPEG of a rare kind (its frame has the marker 0x{:x})", marker),
              "export it again as a baseline JPEG or a PNG"};
  }
}

UnsupportedKind unsupported_kind(int code, int detail, int components) {
  switch (code) {
    case JERR_BAD_PRECISION:
      return {fmt::format("a JPEG of {} bits per sample", detail), kTurbo3};
    case JERR_SOF_UNSUPPORTED:
      return kind_of_frame(detail);
    case JERR_UNKNOWN_MARKER:
      return detail == kJpegLs ? kind_of_frame(detail) : UnsupportedKind{};
    case JERR_CONVERSION_NOTIMPL:
    case JERR_BAD_J_COLORSPACE:
      return {fmt::format("a JPEG of {} colour components", components),
              "a photo has 1 (grey), 3 (RGB) or 4 (CMYK): export it again"};
    case JERR_IMAGE_TOO_BIG:
      return {fmt::format("a JPEG with a side of more than {} pixels", detail),
              "cut it into smaller ones, or convert it to PNG"};
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
      return {"a JPEG of a rare kind", "export it again as a baseline JPEG or a PNG"};
    default:
      return {};
  }
}

Error JpegReader::error(const std::string& name) const {
  const auto [what, advice] =
      unsupported_kind(manager_.code, manager_.detail, info_.num_components);
  if (what.empty()) return damaged(name, "JPEG", manager_.reason);
  return bad_input(fmt::format("{}: {} is not supported", name, what), advice);
}

// Pillow's a * b / 255, rounded.
int times(int a, int b) {
  const int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

// Converts without a colour profile: a channel's light is what its ink and black let through. Ink
// is stored as 255 - amount whether or not Adobe's marker says so, as Pillow, OpenCV and browsers
// take it.
void cmyk_to_rgb(const std::vector<uint8_t>& cmyk, std::vector<uint8_t>& rgb) {
  for (size_t i = 0; i < rgb.size() / 3; ++i) {
    const uint8_t* light = &cmyk[i * 4];
    for (size_t c = 0; c < 3; ++c) {
      rgb[i * 3 + c] = static_cast<uint8_t>(light[3] - times(255 - light[c], light[3]));
    }
  }
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) { return starts_with(bytes, "\xFF\xD8\xFF"); }

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits) {
  JpegReader reader;
  if (!reader.read_header(bytes)) throw reader.error(name);
  check_size(name, reader.width(), reader.height(), limits);

  Image image = blank_image(reader.width(), reader.height());
  std::vector<uint8_t> cmyk(reader.is_cmyk() ? image.size() * 4 : 0);
  if (!reader.read_rows(reader.is_cmyk() ? cmyk.data() : image.pixels.data())) {
    throw reader.error(name);
  }
  if (reader.is_cmyk()) cmyk_to_rgb(cmyk, image.pixels);
  if (reader.lacks_end_marker()) {
    image.warning = name + ": the JPEG lacks its end marker; all its pixels are there";
  }
  return image;
}

ImageSize jpeg_size(std::span<const std::byte> bytes, const std::string& name,
                    const ImageLimits& limits) {
  JpegReader reader;
  if (!reader.read_header(bytes)) throw reader.error(name);
  check_size(name, reader.width(), reader.height(), limits);
  return {reader.width(), reader.height()};
}

}  // namespace tagclip
