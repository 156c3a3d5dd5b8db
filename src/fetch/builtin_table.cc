#include "fetch/table.h"

// TAGCLIP_CHECKPOINT_TABLE is the path of checkpoints.toml.
asm(".pushsection .rodata\n"
    ".global tagclip_checkpoints_begin\n.hidden tagclip_checkpoints_begin\n"
    "tagclip_checkpoints_begin:\n"
    ".incbin \"" TAGCLIP_CHECKPOINT_TABLE
    "\"\n"
    ".global tagclip_checkpoints_end\n.hidden tagclip_checkpoints_end\n"
    "tagclip_checkpoints_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" __attribute__((visibility("hidden"))) const char tagclip_checkpoints_begin[],
    tagclip_checkpoints_end[];

namespace tagclip {

CheckpointTable builtin_table() {
  return parse_table({tagclip_checkpoints_begin, tagclip_checkpoints_end}, "checkpoints.toml");
}

}  // namespace tagclip
