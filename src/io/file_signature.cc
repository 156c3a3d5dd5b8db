#include "io/file_signature.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/files.h"
#include "base/text.h"
#include "io/tiff.h"

namespace tagclip {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  size_t offset;
  std::string_view magic;
  std::string_view description;
};

// The first match counts: longer signatures stand before their beginnings.
constexpr auto kSignatures = std::to_array<Signature>({
    {0, "\xFF\xD8\xFF"sv, "a JPEG photo"},
    {0, "\x89PNG\r\n\x1A\n"sv, "a PNG image"},
    {8, "WEBP"sv, "a WebP image"},
    {8, "AVI "sv, "an AVI video"},
    {8, "WAVE"sv, "a WAV sound"},
    {0, "GIF8"sv, "a GIF image"},
    {0, "II+\0"sv, "a BigTIFF image"},
    {0, "MM\0+"sv, "a BigTIFF image"},
    {0, "IIRO"sv, "a camera's raw photo"},  // Olympus
    {0, "IIRS"sv, "a camera's raw photo"},
    {0, "MMOR"sv, "a camera's raw photo"},
    {0, "IIU\0"sv, "a camera's raw photo"},  // Panasonic
    {0, "FUJIFILMCCD-RAW"sv, "a camera's raw photo"},
    {0, "FOVb"sv, "a camera's raw photo"},      // Sigma
    {0, "\0MRM"sv, "a camera's raw photo"},     // Minolta
    {6, "HEAPCCDR"sv, "a camera's raw photo"},  // Canon
    {4, "ftypcrx "sv, "a camera's raw photo"},
    {0, "II\xBC"sv, "a JPEG XR image"},
    {4, "ftypavif"sv, "an AVIF image"},
    {4, "ftypavis"sv, "an AVIF image"},
    {4, "ftyphe"sv, "a HEIC photo"},
    {4, "ftypmif1"sv, "a HEIC photo"},
    {4, "ftypmsf1"sv, "a HEIC photo"},
    {4, "ftypqt"sv, "a QuickTime video"},
    {4, "ftyp"sv, "an MP4 video"},
    {4, "moov"sv, "a QuickTime video"},
    {4, "mdat"sv, "a QuickTime video"},
    {0, "FLV\x01"sv, "a Flash video"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, "a Windows Media file"},
    {0, "\0\0\x01\xBA"sv, "an MPEG video"},
    {0, "\0\0\x01\xB3"sv, "an MPEG video"},
    {0, "OggS"sv, "an Ogg file"},
    {0, "\x1A\x45\xDF\xA3"sv, "a Matroska or WebM video"},
    {0, "\0\0\0\x0CJXL "sv, "a JPEG XL image"},
    {0, "\xFF\x0A"sv, "a JPEG XL image"},
    {0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 image"},
    {0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 image"},
    {0, "\0\0\x01\0"sv, "a Windows icon"},
    {0, "\0\0\x02\0\0\0\0\0"sv, "a TGA image"},
    {0, "\0\0\x0A\0\0\0\0\0"sv, "a TGA image"},
    {0, "DDS \x7C\0\0\0"sv, "a DDS texture"},
    {128, "DICM"sv, "a DICOM image"},
    {344, "n+1\0"sv, "a NIfTI image"},
    {344, "ni1\0"sv, "a NIfTI image"},
    {0, "\x5C\x01\0\0\x6E\x2B\x32\0"sv, "a NIfTI image"},
    {0, "NRRD000"sv, "an NRRD image"},
    {0, "NITF0"sv, "a NITF image"},
    {0, "EHFA_HEADER_TAG"sv, "an ERDAS Imagine image"},
    {0, "icns"sv, "a macOS icon"},
    {0, "\x01\xDA\0\x01"sv, "an SGI image"},
    {0, "\x01\xDA\x01\x01"sv, "an SGI image"},
    {0, "\x59\xA6\x6A\x95"sv, "a Sun raster image"},
    {0, "SDPX"sv, "a DPX image"},
    {0, "XPDS"sv, "a DPX image"},
    {0, "\x80\x2A\x5F\xD7"sv, "a Cineon image"},
    {0, "FLIF"sv, "a FLIF image"},
    {0, "BPG\xFB"sv, "a BPG image"},
    {0, "farbfeld"sv, "a farbfeld image"},
    {0, "\xABKTX "sv, "a KTX texture"},
    {8, "ILBM"sv, "an Amiga IFF image"},
    {0, "AT&TFORM"sv, "a DjVu document"},
    {0, "\xD7\xCD\xC6\x9A"sv, "a Windows metafile"},
    {40, " EMF\0\0\x01\0"sv, "a Windows metafile"},
    {0, "qoif"sv, "a QOI image"},
    {0, "#?RADIANCE"sv, "a Radiance HDR image"},
    {0, "#?RGBE"sv, "a Radiance HDR image"},
    {0, "SIMPLE  ="sv, "a FITS image"},
    {0, "gimp xcf "sv, "a GIMP document"},
    {0, "%!PS"sv, "a PostScript document"},
    {0, "\xC5\xD0\xD3\xC6"sv, "a PostScript document"},
    {0, "8BPS"sv, "a Photoshop document"},
    {0, "v/1\x01"sv, "an OpenEXR image"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "\0\x05\x16\x07"sv, "a macOS resource file (AppleDouble)"},
    {0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file"},
    {0, "\x0E\x03\x13\x01"sv, "an HDF4 file"},
    {0, "GRIB"sv, "a GRIB file"},
    {0, "CDF\x01"sv, "a NetCDF file"},
    {0, "GGUF"sv, "a GGUF model"},
    {4, "TFL3"sv, "a TensorFlow Lite model"},
    {0, "\x93NUMPY"sv, "a NumPy array (.npy)"},
    {0, "\x1F\x8B"sv, "a gzip archive"},
    {0, "BZh"sv, "a bzip2 archive"},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "an xz archive"},
    {0, "\x28\xB5\x2F\xFD"sv, "a Zstandard archive"},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7-Zip archive"},
    {0, "Rar!\x1A\x07"sv, "a RAR archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "PAR1"sv, "a Parquet table"},
    {0, "SQLite format 3\0"sv, "an SQLite database"},
    {0, "MATLAB 5.0 MAT-file"sv, "a MATLAB file"},
    {0,
     "\x7F"
     "ELF"sv,
     "a program"},
    {0, "version https://git-lfs"sv, "a Git LFS pointer in place of the file itself"},
    // A long integer, PyTorch's magic number, heads every stream of torch.save before 1.6.
    {0, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv, "a legacy PyTorch pickle"},
});

bool has_at(std::string_view bytes, size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() && bytes.substr(offset, magic.size()) == magic;
}

std::string_view by_signature(std::string_view bytes) {
  for (const Signature& entry : kSignatures) {
    if (has_at(bytes, entry.offset, entry.magic)) return entry.description;
  }
  return {};
}

// torch.save and TorchScript put everything into one folder, and one of these first.
bool is_torch_member(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return false;
  name.remove_prefix(slash + 1);
  return name == "data.pkl" || name == "version" || name == ".format_version" ||
         name == "constants.pkl" || name.starts_with("data/") || name.starts_with("code/");
}

// The name of the first member tells what a zip archive is used for.
std::string_view describe_zip(std::string_view bytes) {
  constexpr size_t kNameLengthAt = 26, kNameAt = 30;
  if (bytes.size() < kNameAt) return "a zip archive";
  const size_t length = static_cast<uint8_t>(bytes[kNameLengthAt]) +
                        256u * static_cast<uint8_t>(bytes[kNameLengthAt + 1]);
  const std::string_view name = bytes.substr(kNameAt, length);
  if (is_torch_member(name)) return "a PyTorch zip archive (.pt, .pth, .bin)";
  if (name.ends_with(".npy")) return "a NumPy archive (.npz)";
  if (name == "[Content_Types].xml") return "an Office document";
  return "a zip archive";
}

bool is_safetensors(std::string_view bytes) {
  // The header's length is below 2^27, so the upper bytes of its 64 bits are zero.
  return has_at(bytes, 4, "\0\0\0\0{"sv) && static_cast<uint8_t>(bytes[3]) < 8;
}

// A protobuf that opens with ONNX's ir_version (field 1, a small number) and then producer_name
// (field 2) or the opset (field 8).
bool is_onnx(std::string_view bytes) {
  return bytes.size() > 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 32 &&
         (bytes[2] == 0x12 || bytes[2] == 0x42);
}

bool is_pickle(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

// PBM, PGM, PPM, PAM and PFM: a letter, a digit or letter, and white space before the numbers.
std::string_view describe_netpbm(std::string_view bytes) {
  if (bytes.size() < 3 || bytes[0] != 'P' || !std::isspace(static_cast<uint8_t>(bytes[2])))
    return {};
  if (bytes[1] >= '1' && bytes[1] <= '6') {
    const size_t next = bytes.find_first_not_of(" \t\r\n", 2);
    const bool number =
        next != bytes.npos && (bytes[next] == '#' || (bytes[next] >= '0' && bytes[next] <= '9'));
    return number ? "a PBM, PGM or PPM image" : std::string_view();
  }
  if (bytes[1] == '7') return "a PAM image";
  return bytes[1] == 'F' || bytes[1] == 'f' ? "a PFM image" : std::string_view();
}

// Most cameras' raw photos are TIFF files; the first directory of Nikon's, Sony's, Pentax's and
// Adobe's describes a small version of the photo.
std::string_view describe_tiff(std::string_view bytes) {
  constexpr uint16_t kNewSubfileType = 0x00FE, kSubDirectories = 0x014A, kDngVersion = 0xC612;
  if (!has_at(bytes, 0, "II*\0"sv) && !has_at(bytes, 0, "MM\0*"sv)) return {};
  const TiffDirectory directory(std::as_bytes(std::span(bytes)));
  const bool small = directory.integer(kNewSubfileType) == 1 && directory.has(kSubDirectories);
  const bool raw = has_at(bytes, 8, "CR\x02") || directory.has(kDngVersion) || small;
  return raw ? "a camera's raw photo" : "a TIFF image";
}

bool is_bitmap(std::string_view bytes) {
  return has_at(bytes, 0, "BM") && has_at(bytes, 6, "\0\0\0\0"sv);
}

// The version, run lengths and the bits of a sample follow the mark of one byte.
bool is_pcx(std::string_view bytes) {
  return bytes.size() >= 128 && bytes[0] == '\x0A' && "\0\2\3\4\5"sv.find(bytes[1]) != bytes.npos &&
         bytes[2] == 1 && "\1\2\4\x8"sv.find(bytes[3]) != bytes.npos;
}

// MPEG's transport stream begins every 188 bytes with the same byte.
bool is_transport_stream(std::string_view bytes) {
  constexpr size_t kPacket = 188;
  return bytes.size() > 4 * kPacket && bytes[0] == 'G' && bytes[kPacket] == 'G' &&
         bytes[2 * kPacket] == 'G' && bytes[3 * kPacket] == 'G';
}

// Bytes of one UTF-8 sequence at `at` without control characters, 0 when it is none.
size_t text_length(std::string_view bytes, size_t at) {
  const auto first = static_cast<uint8_t>(bytes[at]);
  if (first < 0x80) {
    return first >= 0x20 || first == '\n' || first == '\r' || first == '\t' || first == '\f' ? 1
                                                                                             : 0;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (size_t i = 1; i < length && at + i < bytes.size(); ++i) {
    if ((static_cast<uint8_t>(bytes[at + i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool is_text(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = text_length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string_view describe_text(std::string_view bytes) {
  bytes = without_byte_order_mark(bytes);
  const size_t start = bytes.find_first_not_of(" \t\r\n\f");
  if (start == std::string_view::npos) return "text";
  std::string head(bytes.substr(start, 64));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (head.starts_with("<!doctype html") || head.starts_with("<html")) return "an HTML page";
  if (head.starts_with("<svg")) return "an SVG drawing";
  if (head.starts_with("/* xpm */")) return "an XPM image";
  if (head.starts_with("#define") && head.find("_width ") != head.npos) return "an XBM image";
  if (head.starts_with("<?xml")) return "XML text";
  if (head[0] == '{' || head[0] == '[') return "JSON text";
  return "text";
}

std::string_view describe_prefix(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (const std::string_view known = by_signature(bytes); !known.empty()) return known;
  if (const std::string_view tiff = describe_tiff(bytes); !tiff.empty()) return tiff;
  if (const std::string_view plain = describe_netpbm(bytes); !plain.empty()) return plain;
  if (bytes.starts_with("PK\x03\x04")) return describe_zip(bytes);
  if (is_safetensors(bytes)) return "a safetensors file";
  if (is_bitmap(bytes)) return "a BMP image";
  if (is_pcx(bytes)) return "a PCX image";
  if (is_pickle(bytes)) return "a Python pickle";
  if (is_onnx(bytes)) return "an ONNX model";
  if (is_text(bytes)) return describe_text(bytes);
  if (is_transport_stream(bytes)) return "an MPEG video";
  const std::string_view encoding = wide_encoding(bytes);
  if (encoding == "UTF-16") return "UTF-16 text";
  if (encoding == "UTF-32") return "UTF-32 text";
  return "binary data of an unknown kind";
}

}  // namespace

std::string describe_bytes(std::span<const std::byte> bytes) {
  bytes = bytes.first(std::min(bytes.size(), kSignatureBytes));
  return std::string(describe_prefix({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

std::string describe_file(const std::filesystem::path& path) {
  return describe_bytes(read_prefix(path, kSignatureBytes));
}

}  // namespace tagclip
