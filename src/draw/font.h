#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "image/image.h"
#include "image/label_map.h"

struct FT_LibraryRec_;
struct FT_FaceRec_;

namespace tagclip {

// DejaVu Sans at one size, for drawing lines of text into images. Texts are UTF-8; characters that
// the font lacks become boxes, and there are no ligatures.
class Font {
 public:
  // `size`: pixels per em, at least 1.
  explicit Font(int size);
  ~Font();

  int ascent() const;   // pixels above the baseline
  int descent() const;  // pixels below the baseline

  int width(std::string_view text) const;  // pixels

  // Returns the text, or its beginning and an ellipsis if it is wider than `width` pixels.
  std::string elided(const std::string& text, int width) const;

  // Draws from x to the right, on the baseline y; clipped to the image.
  void draw(Image& image, int x, int y, std::string_view text, Colour colour) const;

 private:
  // Loads the glyphs in turn and calls `at` with the position of each, in 1/64 pixels. Returns the
  // end of the text.
  int64_t lay_out(std::string_view text, const std::function<void(int64_t x)>& at) const;

  std::unique_ptr<FT_LibraryRec_, void (*)(FT_LibraryRec_*)> library_;
  std::unique_ptr<FT_FaceRec_, void (*)(FT_FaceRec_*)> face_;
};

}  // namespace tagclip
