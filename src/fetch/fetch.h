#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/entry_point.h"

// The entries of this library, which the program loads when `tagclip fetch` runs.
namespace tagclip {

struct FetchOptions {
  std::vector<std::string> names;
  std::filesystem::path from;  // a file or folder the user brought; empty: download
  std::string mirror;          // base address instead of the publishers'; empty: theirs
  std::filesystem::path to;    // where the checkpoints go; empty: the cache folder
  int tries = 3;               // for each file
  int timeout = 30;            // seconds of (almost) nothing that end a try
  bool list = false;           // only list what there is
  bool json = false;           // one JSON object per checkpoint, on standard output
};

}  // namespace tagclip

TAGCLIP_ENTRY_POINT("libtagclip_fetch.so", FetchOptions, tagclip_fetch)
