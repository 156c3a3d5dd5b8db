#include "draw/overlay.h"

#include <algorithm>

#include "base/error.h"
#include "draw/canvas.h"
#include "draw/font.h"

namespace tagclip {
namespace {

// The weight of the class colour in a pixel, in 1/256.
constexpr int kInside = 120;
constexpr int kBorder = 230;

// True if a pixel of another label lies within `reach` pixels in the row or the column.
bool on_border(const LabelMap& map, int x, int y, int reach) {
  const auto label_at = [&](int column, int row) {
    column = std::clamp(column, 0, map.width - 1);
    row = std::clamp(row, 0, map.height - 1);
    return map.labels[static_cast<size_t>(row) * map.width + column];
  };
  const uint16_t own = label_at(x, y);
  for (int d = 1; d <= reach; ++d) {
    if (label_at(x - d, y) != own || label_at(x + d, y) != own || label_at(x, y - d) != own ||
        label_at(x, y + d) != own) {
      return true;
    }
  }
  return false;
}

void tint(uint8_t* pixel, Colour colour, int strength) {
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>((pixel[c] * (256 - strength) + colour[c] * strength) / 256);
  }
}

void grey_out(uint8_t* pixel) {
  const int luma = (77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2]) / 256;
  std::fill_n(pixel, 3, static_cast<uint8_t>(luma * 2 / 3));
}

// The dimensions of a legend in pixels, which follow from its font size.
struct Metrics {
  explicit Metrics(int width)
      : letters(std::clamp(width / 40, 13, 26)),
        row(letters * 8 / 5),
        swatch(letters * 9 / 10),
        gap(letters / 2),
        margin(letters * 3 / 4) {}
  int letters, row, swatch, gap, margin;
};

class Legend {
 public:
  Legend(const std::vector<LegendEntry>& entries, int width, int max_rows)
      : size_(width), font_(size_.letters), entries_(entries) {
    const int inner = width - 2 * size_.margin;
    int widest = 0;
    for (const LegendEntry& entry : entries) widest = std::max(widest, natural_width(entry));
    columns_ = std::clamp(inner / widest, 1, static_cast<int>(entries.size()));
    // Names too long for three columns are shortened.
    if (columns_ < 3) columns_ = std::clamp(inner / (12 * size_.letters), columns_, 3);
    column_ = inner / columns_;
    const int rows = (static_cast<int>(entries.size()) + columns_ - 1) / columns_;
    rows_ = std::min(rows, max_rows);
    shown_ = rows > max_rows ? rows_ * columns_ - 1 : static_cast<int>(entries.size());
    image_ = solid_image(width, rows_ * size_.row + 2 * size_.margin, kBackgroundColour);
  }

  Image draw() {
    for (int i = 0; i < shown_; ++i) draw_entry(entries_[i], left_of(i), base_of(i));
    const size_t more = entries_.size() - shown_;
    if (more > 0) {
      font_.draw(image_, left_of(shown_), base_of(shown_), "+ " + std::to_string(more) + " more",
                 kFaintTextColour);
    }
    return std::move(image_);
  }

 private:
  int natural_width(const LegendEntry& entry) const {
    return size_.swatch + 2 * size_.gap + font_.width(entry.name) + font_.width(entry.detail) +
           2 * size_.gap;
  }
  int left_of(int i) const { return size_.margin + i % columns_ * column_; }
  int base_of(int i) const {
    return size_.margin + i / columns_ * size_.row +
           (size_.row + font_.ascent() - font_.descent()) / 2;
  }

  void draw_entry(const LegendEntry& entry, int x, int base) {
    const int detail = font_.width(entry.detail);
    const int room = column_ - size_.swatch - 4 * size_.gap - detail;
    fill_rectangle(image_, x, base - size_.swatch, size_.swatch, size_.swatch, entry.colour);
    x += size_.swatch + size_.gap;
    const std::string name = font_.elided(entry.name, room);
    font_.draw(image_, x, base, name, kTextColour);
    font_.draw(image_, x + font_.width(name) + size_.gap, base, entry.detail, kFaintTextColour);
  }

  Metrics size_;
  Font font_;
  const std::vector<LegendEntry>& entries_;
  int columns_ = 1, column_ = 0;  // how many, how wide
  int rows_ = 0;
  int shown_ = 0;  // entries
  Image image_;
};

constexpr int kLongest = 2048;  // pixels of the photo in the overlay
constexpr int kNarrowest = 400;

}  // namespace

void colour_classes(Image& image, const LabelMap& labels, const std::vector<Colour>& palette) {
  TAGCLIP_CHECK(image.width == labels.width && image.height == labels.height,
                "labels of the image's size");
  const int reach = 1 + std::max(image.width, image.height) / 1000;
  uint8_t* pixel = image.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, pixel += 3) {
      const uint16_t label = labels.labels[static_cast<size_t>(y) * labels.width + x];
      if (label == kIgnoreIndex) {
        grey_out(pixel);
      } else {
        tint(pixel, palette.at(label), on_border(labels, x, y, reach) ? kBorder : kInside);
      }
    }
  }
}

Image draw_legend(const std::vector<LegendEntry>& entries, int width, int max_rows) {
  TAGCLIP_CHECK(!entries.empty() && max_rows > 0, "a legend of something");
  return Legend(entries, width, max_rows).draw();
}

Size overlay_photo_size(Size photo) {
  const int longest = std::max(photo.width, photo.height);
  if (longest > kLongest) return fit_within(photo, kLongest, kLongest);
  const int wanted = (kNarrowest + photo.width - 1) / photo.width;
  const int factor = std::clamp(wanted, 1, kLongest / longest);
  return {photo.width * factor, photo.height * factor};
}

Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend) {
  TAGCLIP_CHECK(photo.width == labels.width && photo.height == labels.height,
                "labels of the photo's size");
  const Size size = overlay_photo_size({photo.width, photo.height});
  Image view = preview(photo, size);
  colour_classes(view, resize_nearest(labels, size), palette);

  const int width = std::max(size.width, kNarrowest);
  const int max_rows = std::clamp(size.height / 120, 4, 8);
  const Image strip = draw_legend(legend, width, max_rows);
  Image overlay = solid_image(width, size.height + strip.height, kBackgroundColour);
  paste(view, (width - size.width) / 2, 0, overlay);
  paste(strip, 0, size.height, overlay);
  return overlay;
}

}  // namespace tagclip
