#include "draw/font_file.h"

// TAGCLIP_FONT is the path of the font when compiling.
asm(".pushsection .rodata\n"
    ".global tagclip_font_begin\n.hidden tagclip_font_begin\n"
    "tagclip_font_begin:\n"
    ".incbin \"" TAGCLIP_FONT
    "\"\n"
    ".global tagclip_font_end\n.hidden tagclip_font_end\n"
    "tagclip_font_end:\n"
    ".popsection\n");

extern "C" __attribute__((visibility("hidden"))) const unsigned char tagclip_font_begin[],
    tagclip_font_end[];

namespace tagclip {

std::span<const unsigned char> embedded_font() { return {tagclip_font_begin, tagclip_font_end}; }

}  // namespace tagclip
