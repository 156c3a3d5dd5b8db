#pragma once

#include <cstdint>

namespace tagclip {

// A label is an index into a list of classes, or one of these two values.

// The pixel is void: it has no class, or one that does not count. Label files of 8 bits hold 255.
inline constexpr uint16_t kIgnoreIndex = 65535;

// The pixel has a class that training must not see. Training targets (int64) alone hold it;
// self-training replaces it by pseudo labels.
inline constexpr int64_t kHiddenClass = -1;

}  // namespace tagclip
