#pragma once

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tagclip {

// For a program that makes buffers of a few megabytes over and over: lets the allocator keep their
// pages. glibc hands them back at once, and getting them anew costs the kernel as long as what is
// done with them. Holds for the whole process.
inline void keep_freed_pages() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most it takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

// Hands back to the system whatever pages hold nothing.
inline void return_freed_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace tagclip
