#include "text/embedded.h"

// Labels NAME_begin and NAME_end around the bytes of a file. TAGCLIP_TEXT_DATA is the folder
// src/text/data.
#define TAGCLIP_EMBED(name, file)                                \
  asm(".pushsection .rodata\n"                                   \
      ".global " #name "_begin\n.hidden " #name "_begin\n" #name \
      "_begin:\n"                                                \
      ".incbin \"" TAGCLIP_TEXT_DATA "/" file                    \
      "\"\n"                                                     \
      ".global " #name "_end\n.hidden " #name "_end\n" #name     \
      "_end:\n"                                                  \
      ".byte 0\n"                                                \
      ".popsection\n");                                          \
  extern "C" __attribute__((visibility("hidden"))) const char name##_begin[], name##_end[]

TAGCLIP_EMBED(tagclip_merges, "bpe_simple_vocab_16e6.txt.gz");
TAGCLIP_EMBED(tagclip_entities, "html_entities.txt");
TAGCLIP_EMBED(tagclip_imagenet, "imagenet_templates.txt");

namespace tagclip {

std::string_view embedded_merges_gz() { return {tagclip_merges_begin, tagclip_merges_end}; }

std::string_view embedded_html_entities() { return {tagclip_entities_begin, tagclip_entities_end}; }

std::string_view embedded_imagenet_templates() {
  return {tagclip_imagenet_begin, tagclip_imagenet_end};
}

}  // namespace tagclip
