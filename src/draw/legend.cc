#include "draw/legend.h"

#include <algorithm>

#include "base/error.h"
#include "draw/canvas.h"
#include "draw/font.h"

namespace tagclip {
namespace {

// Measures of a legend, all in pixels, from the size of its letters.
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
    // A long name costs no columns beyond three: it is shortened.
    if (columns_ < 3) columns_ = std::clamp(inner / (12 * size_.letters), columns_, 3);
    column_ = inner / columns_;
    const int rows = (static_cast<int>(entries.size()) + columns_ - 1) / columns_;
    rows_ = std::min(rows, max_rows);
    shown_ = rows > max_rows ? rows_ * columns_ - 1 : static_cast<int>(entries.size());
    image_ = filled(width, rows_ * size_.row + 2 * size_.margin, kPaper);
  }

  Image draw() {
    for (int i = 0; i < shown_; ++i) draw_entry(entries_[i], left_of(i), base_of(i));
    const size_t more = entries_.size() - shown_;
    if (more > 0) {
      font_.draw(image_, left_of(shown_), base_of(shown_), "+ " + std::to_string(more) + " more",
                 kFaintInk);
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
    fill(image_, x, base - size_.swatch, size_.swatch, size_.swatch, entry.colour);
    x += size_.swatch + size_.gap;
    const std::string name = font_.elided(entry.name, room);
    font_.draw(image_, x, base, name, kInk);
    font_.draw(image_, x + font_.width(name) + size_.gap, base, entry.detail, kFaintInk);
  }

  Metrics size_;
  Font font_;
  const std::vector<LegendEntry>& entries_;
  int columns_ = 1, column_ = 0;  // how many, how wide
  int rows_ = 0;
  int shown_ = 0;  // entries
  Image image_;
};

}  // namespace

Image draw_legend(const std::vector<LegendEntry>& entries, int width, int max_rows) {
  TAGCLIP_CHECK(!entries.empty() && max_rows > 0, "a legend of something");
  return Legend(entries, width, max_rows).draw();
}

}  // namespace tagclip
