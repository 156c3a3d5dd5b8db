#include "image/other_formats.h"

#include <array>
#include <string_view>

#include "io/file_signature.h"

namespace tagclip {
namespace {

struct Remedy {
  std::string_view kind;  // as describe_bytes names it
  std::string_view advice;
};

// Of files that may hold several pictures, the first is taken.
constexpr auto kRemedies = std::to_array<Remedy>({
    {"a GIF image", "convert it to PNG: magick 'in.gif[0]' out.png"},
    {"a TIFF image", "convert it to PNG: magick 'in.tif[0]' out.png"},
    {"a BigTIFF image", "convert it to PNG: magick 'in.tif[0]' out.png"},
    {"an AVIF image", "convert it to PNG: magick in.avif out.png"},
    {"a HEIC photo", "convert it to PNG: magick in.heic out.png"},
    {"a JPEG XL image", "convert it to PNG: djxl in.jxl out.png"},
    {"a JPEG 2000 image", "convert it to PNG: magick in.jp2 out.png"},
    {"a JPEG XR image",
     "convert it to PNG: JxrDecApp -i in.jxr -o out.bmp, magick out.bmp out.png"},
    {"a BMP image", "convert it to PNG: magick in.bmp out.png"},
    {"a PBM, PGM or PPM image", "convert it to PNG: magick in.ppm out.png"},
    {"a PAM image", "convert it to PNG: magick in.pam out.png"},
    {"a PFM image", "convert it to PNG: magick in.pfm out.png"},
    {"a Windows icon", "convert it to PNG: magick 'in.ico[0]' out.png"},
    {"a TGA image", "convert it to PNG: magick in.tga out.png"},
    {"a DDS texture", "convert it to PNG: magick in.dds out.png"},
    {"a QOI image", "convert it to PNG: magick in.qoi out.png"},
    {"an OpenEXR image", "convert it to PNG: magick in.exr out.png"},
    {"a Radiance HDR image", "convert it to PNG: magick in.hdr out.png"},
    {"a Photoshop document", "convert it to PNG: magick 'in.psd[0]' out.png"},
    {"a GIMP document", "export it as PNG with GIMP"},
    {"a FITS image", "convert it to PNG: magick 'in.fits[0]' out.png"},
    {"a DICOM image", "convert it to PNG: dcmj2pnm --write-png in.dcm out.png"},
    {"a camera's raw photo", "develop it: darktable-cli in.raw out.png"},
    {"an SVG drawing", "draw it as PNG: rsvg-convert in.svg -o out.png"},
    {"a PDF document", "draw its pages as PNG: pdftoppm -png in.pdf out"},
    {"a PostScript document", "draw it as PNG: magick in.eps out.png"},
    {"an AVI video", "take its frames: ffmpeg -i in.avi frame_%06d.png"},
    {"an MP4 video", "take its frames: ffmpeg -i in.mp4 frame_%06d.png"},
    {"a QuickTime video", "take its frames: ffmpeg -i in.mov frame_%06d.png"},
    {"a Matroska or WebM video", "take its frames: ffmpeg -i in.mkv frame_%06d.png"},
    {"a Flash video", "take its frames: ffmpeg -i in.flv frame_%06d.png"},
    {"a Windows Media file", "take its frames: ffmpeg -i in.wmv frame_%06d.png"},
    {"an MPEG video", "take its frames: ffmpeg -i in.mpg frame_%06d.png"},
    {"an Ogg file", "take its frames: ffmpeg -i in.ogv frame_%06d.png"},
    {"a Git LFS pointer in place of the file itself", "fetch the file itself: git lfs pull"},
});

}  // namespace

std::string conversion_hint(std::span<const std::byte> bytes) {
  const std::string kind = describe_bytes(bytes);
  for (const Remedy& remedy : kRemedies) {
    if (remedy.kind == kind) return std::string(remedy.advice);
  }
  if (bytes.empty()) return "fetch or export the file again";
  return "photos are JPEG, PNG or WebP files";
}

}  // namespace tagclip
