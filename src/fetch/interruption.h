#pragma once

#include <chrono>

#include "base/console.h"

namespace tagclip {

// Thrown where the user asked to stop; what was fetched so far is kept.
struct Stopped {};

// Sleeps. Throws Stopped within a moment of the user's asking for it.
void pause(std::chrono::milliseconds time, const Console& console);

}  // namespace tagclip
