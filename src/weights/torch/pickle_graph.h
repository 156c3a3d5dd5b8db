#pragma once

#include <cstdint>
#include <string>

#include "weights/torch/pickle.h"

namespace tagclip {

// What makes a value safe to walk: no cycles, at most kMaxPickleDepth levels, no dictionary with
// the same key twice, nothing but data, and sharing that does not make it much larger than the
// `steps` that built it. Throws Error(kBadInput) naming `file`.
void check_pickle_values(const PickleValue& root, uint64_t steps, const std::string& file);

}  // namespace tagclip
