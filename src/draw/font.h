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

// DejaVu Sans at one size, for drawing lines of text into pictures. Texts are UTF-8; signs the font
// lacks become boxes, and neighbouring letters are not joined.
class Font {
 public:
  // `size`: pixels of an em, at least 1.
  explicit Font(int size);
  ~Font();

  int ascent() const;   // pixels from the base line up to the highest letters
  int descent() const;  // ... and down to the lowest

  int width(std::string_view text) const;  // pixels

  // The text, or its beginning and an ellipsis: what fits into `width` pixels.
  std::string elided(const std::string& text, int width) const;

  // Draws from (x, base line y) to the right; what lies outside the picture is left out.
  void draw(Image& image, int x, int y, std::string_view text, Colour colour) const;

 private:
  // Loads one glyph after the other and calls `at` with its place in 1/64 pixels; returns the end
  // of the text.
  int64_t lay_out(std::string_view text, const std::function<void(int64_t x)>& at) const;

  std::unique_ptr<FT_LibraryRec_, void (*)(FT_LibraryRec_*)> library_;
  std::unique_ptr<FT_FaceRec_, void (*)(FT_FaceRec_*)> face_;
};

}  // namespace tagclip
