#include <algorithm>

#include "base/error.h"
#include "draw/canvas.h"
#include "draw/overlay.h"
#include "image/png.h"
#include "outputs/formats.h"

namespace tagclip {
namespace {

void write_labels(const PhotoOutput& output, const ByteSink& sink) {
  sink(encode_label_map(output.labelled.labels, output.run.palette));
}

Image overlay_of(const PhotoOutput& output) {
  return draw_overlay(output.photo, output.labelled.labels, output.run.palette, output.legend);
}

void write_overlay(const PhotoOutput& output, const ByteSink& sink) {
  sink(encode_png(overlay_of(output)));
}

// The photo on the left, as large as it is under the overlay on the right.
void write_side_by_side(const PhotoOutput& output, const ByteSink& sink) {
  constexpr int kGap = 8;
  const Image overlay = overlay_of(output);
  const Size size = overlay_photo_size({output.photo.width, output.photo.height});
  Image both = solid_image(2 * overlay.width + kGap, overlay.height, kBackgroundColour);
  paste(preview(output.photo, size), (overlay.width - size.width) / 2, 0, both);
  paste(overlay, overlay.width + kGap, 0, both);
  sink(encode_png(both));
}

// Calls `encode` for the mask [height, width] of each class that occurs, 255 inside.
template <class Encode>
std::vector<NamedFile> for_each_class(const PhotoOutput& output, const Encode& encode) {
  const LabelMap& map = output.labelled.labels;
  std::vector<bool> occurs(output.run.classes.size());
  for (const uint16_t label : map.labels) {
    if (label != kIgnoreIndex) occurs.at(label) = true;
  }
  const std::vector<std::string> names = class_file_names(output.run.classes);
  std::vector<NamedFile> files;
  std::vector<uint8_t> mask(map.size());
  for (size_t c = 0; c < occurs.size(); ++c) {
    if (!occurs[c]) continue;
    std::ranges::transform(map.labels, mask.begin(), [c](uint16_t label) {
      return static_cast<uint8_t>(label == c ? 255 : 0);
    });
    files.push_back({names[c] + ".png", encode(mask)});
  }
  return files;
}

std::vector<NamedFile> masks(const PhotoOutput& output) {
  const LabelMap& map = output.labelled.labels;
  return for_each_class(output, [&](const std::vector<uint8_t>& mask) {
    return encode_png({map.width, map.height, PngContent::Layout::kGrey8, mask, {}});
  });
}

std::vector<NamedFile> cutouts(const PhotoOutput& output) {
  const Image& photo = output.photo;
  std::vector<uint8_t> pixels(photo.size() * 4);
  for (size_t i = 0; i < photo.size(); ++i) {
    std::copy_n(&photo.pixels[3 * i], 3, &pixels[4 * i]);
  }
  return for_each_class(output, [&](const std::vector<uint8_t>& mask) {
    for (size_t i = 0; i < mask.size(); ++i) pixels[4 * i + 3] = mask[i];
    return encode_png({photo.width, photo.height, PngContent::Layout::kRgba8, pixels, {}});
  });
}

}  // namespace

OutputFormat labels_output() {
  return {.name = "labels",
          .meaning =
              "the class of every pixel: PNG with a palette, unlabelled 255; 16-bit grey "
              "from 256 classes on, unlabelled 65535",
          .read_by = "Pillow, OpenCV, mmsegmentation, `tagclip data`",
          .photo_file = "{}_labels.png",
          .write_photo = write_labels};
}

OutputFormat overlay_output() {
  return {.name = "overlay",
          .meaning = "the photo under class colours with a legend, PNG",
          .read_by = "people",
          .photo_file = "{}_overlay.png",
          .write_photo = write_overlay};
}

OutputFormat side_by_side_output() {
  return {.name = "side-by-side",
          .meaning = "the photo beside its overlay, PNG",
          .read_by = "people",
          .photo_file = "{}_side_by_side.png",
          .write_photo = write_side_by_side};
}

OutputFormat masks_output() {
  return {.name = "masks",
          .meaning = "a PNG per class that occurs, 255 inside and 0 outside",
          .read_by = "image editors, OpenCV",
          .photo_file = "masks/{}/",
          .photo_folder = masks};
}

OutputFormat cutouts_output() {
  return {.name = "cutouts",
          .meaning = "the photo per class that occurs, transparent elsewhere: RGBA PNG",
          .read_by = "image editors, browsers",
          .photo_file = "cutouts/{}/",
          .photo_folder = cutouts};
}

}  // namespace tagclip
