#include "commands/commands.h"

const char* tagclip_interface() { return TAGCLIP_INTERFACE; }
