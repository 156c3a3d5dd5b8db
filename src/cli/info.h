#pragma once

#include <filesystem>

#include "base/console.h"

namespace tagclip {

struct InfoOptions {
  std::filesystem::path file;
  bool tensors = false;  // list them all
  bool json = false;
};

// Prints what a file or folder of weights holds, whoever made it; no tensor is read. Throws
// Error(kBadInput) for a file that cannot be read as weights, saying what it looks like.
int run_info(const InfoOptions& options, Console& console);

}  // namespace tagclip
