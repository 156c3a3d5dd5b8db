#pragma once

#include "base/console.h"

namespace tagclip {

// The function that runs a command, in a shared library that the program loads for it.
struct EntryPoint {
  const char* library = nullptr;  // the file, "libtagclip_commands.so"
  const char* function = nullptr;
};

// The entry point that takes these options; TAGCLIP_ENTRY_POINT declares it.
template <class Options>
inline constexpr EntryPoint kEntryPoint{};

}  // namespace tagclip

// Declares `function` as int(const tagclip::Options&, tagclip::Console&) of a library, and names it
// the entry point of these options: the program calls it by their type, so that name and type
// cannot disagree. It throws tagclip::Error, and returns the exit code otherwise. At global scope.
#define TAGCLIP_ENTRY_POINT(library, Options, function)                                \
  extern "C" int function(const tagclip::Options& options, tagclip::Console& console); \
  template <>                                                                          \
  inline constexpr tagclip::EntryPoint tagclip::kEntryPoint<tagclip::Options>{library, #function};

// Version and content of the headers whose types pass between program and library
// (cmake/Interface.cmake). Every library exports it; the program calls a library of its own
// interface only.
extern "C" const char* tagclip_interface();
