#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "data/dataset.h"
#include "train/train_config.h"

namespace tagclip {

struct FileCheckHooks {
  // Pairs done, and in all, once the check has taken two seconds.
  std::function<void(int64_t, int64_t)> progress;
  std::function<bool()> stop_requested;  // true ends the check with Error(kStopped)
  std::function<void(const std::string&)> warn;
};

// The Error(kStopped) of a check that `stop_requested` ended.
Error stopped_in_check();

// Checks that every photo of a split can be opened and has a label map of its size. Headers are
// read alone, but where they leave a doubt. Throws Error(kBadInput) that names the first bad pairs
// and their number; with BadImagePolicy::kSkip they are only warned of, as long as one pair is
// good.
void check_files(const Dataset& data, BadImagePolicy bad_photos, const FileCheckHooks& hooks);

// Checks that label maps of a split hold classes alone: all of them, or 1,000 taken evenly. Throws
// as Dataset::labels.
void check_label_values(const Dataset& data, const FileCheckHooks& hooks);

}  // namespace tagclip
