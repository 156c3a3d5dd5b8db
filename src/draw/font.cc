#include "draw/font.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {

std::string_view embedded_font();  // DejaVuSans.ttf

namespace {

constexpr int kSubpixels = 64;

FT_LibraryRec_* open_library() {
  FT_Library library = nullptr;
  TAGCLIP_CHECK(FT_Init_FreeType(&library) == 0, "FreeType starts");
  return library;
}

FT_FaceRec_* open_face(FT_LibraryRec_* library, int size) {
  const std::string_view file = embedded_font();
  FT_Face face = nullptr;
  TAGCLIP_CHECK(FT_New_Memory_Face(library, reinterpret_cast<const FT_Byte*>(file.data()),
                                   static_cast<FT_Long>(file.size()), 0, &face) == 0,
                "the embedded font opens");
  FT_Set_Pixel_Sizes(face, 0, size);
  return face;
}

int rounded_up(int64_t subpixels) {
  return static_cast<int>((subpixels + kSubpixels - 1) / kSubpixels);
}

// Blends `colour` into the image with the glyph as its alpha channel.
void paint(Image& image, int left, int top, const FT_Bitmap& glyph, Colour colour) {
  for (int row = 0; row < static_cast<int>(glyph.rows); ++row) {
    for (int column = 0; column < static_cast<int>(glyph.width); ++column) {
      const int x = left + column, y = top + row;
      if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue;
      const int cover = glyph.buffer[row * glyph.pitch + column];
      uint8_t* pixel = &image.pixels[(static_cast<size_t>(y) * image.width + x) * 3];
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<uint8_t>((pixel[c] * (255 - cover) + colour[c] * cover + 127) / 255);
      }
    }
  }
}

}  // namespace

Font::Font(int size)
    : library_(open_library(), [](FT_LibraryRec_* library) { FT_Done_FreeType(library); }),
      face_(open_face(library_.get(), size), [](FT_FaceRec_* face) { FT_Done_Face(face); }) {}

Font::~Font() = default;

int Font::ascent() const { return rounded_up(face_->size->metrics.ascender); }
int Font::descent() const { return rounded_up(-face_->size->metrics.descender); }

int64_t Font::lay_out(std::string_view text, const std::function<void(int64_t)>& at) const {
  int64_t x = 0;
  FT_UInt previous = 0;
  for (const char32_t character : decode_utf8(text)) {
    const FT_UInt glyph = FT_Get_Char_Index(face_.get(), character);
    FT_Vector kerning{};
    FT_Get_Kerning(face_.get(), previous, glyph, FT_KERNING_DEFAULT, &kerning);
    x += kerning.x;
    TAGCLIP_CHECK(FT_Load_Glyph(face_.get(), glyph, FT_LOAD_DEFAULT) == 0,
                  "the font's glyphs load");
    at(x);
    x += face_->glyph->advance.x;
    previous = glyph;
  }
  return x;
}

int Font::width(std::string_view text) const {
  return rounded_up(lay_out(text, [](int64_t) {}));
}

std::string Font::elided(const std::string& text, int available) const {
  std::vector<int64_t> starts;
  const int64_t end = lay_out(text, [&](int64_t x) { starts.push_back(x); });
  if (rounded_up(end) <= available) return text;
  const int room = available - width("…");
  if (room < 0) return "";
  // The text before a character is as wide as the character's position.
  const auto kept =
      std::ranges::find_if(starts, [&](int64_t x) { return rounded_up(x) > room; }) - 1;
  return encode_utf8(decode_utf8(text).substr(0, kept - starts.begin())) + "…";
}

void Font::draw(Image& image, int x, int y, std::string_view text, Colour colour) const {
  lay_out(text, [&](int64_t offset) {
    FT_GlyphSlot glyph = face_->glyph;
    TAGCLIP_CHECK(FT_Render_Glyph(glyph, FT_RENDER_MODE_NORMAL) == 0, "the font's glyphs render");
    paint(image, x + static_cast<int>(offset / kSubpixels) + glyph->bitmap_left,
          y - glyph->bitmap_top, glyph->bitmap, colour);
  });
}

}  // namespace tagclip
