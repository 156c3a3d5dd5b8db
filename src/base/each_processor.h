#pragma once

// Compiles a function several times and picks the best for the processor when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TAGCLIP_EACH_PROCESSOR \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TAGCLIP_EACH_PROCESSOR
#endif
