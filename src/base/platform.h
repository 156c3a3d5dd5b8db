#pragma once

#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

// Compiles a function for several processors; the best version is picked when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TAGCLIP_MULTIVERSION \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TAGCLIP_MULTIVERSION
#endif

namespace tagclip {

// Lets the allocator keep freed pages for reuse, in the whole process. It is for a program that
// makes buffers of a few megabytes over and over: glibc would return their pages at once, and
// getting them anew costs the kernel as long as the work on them takes.
inline void keep_freed_pages() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most it takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

// Returns to the system all pages that hold nothing.
inline void return_freed_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace tagclip
