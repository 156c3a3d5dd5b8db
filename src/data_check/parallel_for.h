#pragma once

#include <cstddef>
#include <functional>

namespace tagclip {

// Calls `work` for 0 <= i < count, from as many threads as there are cores, in no order. `done`
// hears, from the calling thread, how many have been finished; false ends the loop early. What
// `work` throws comes out here, after the threads have ended.
void parallel_for(size_t count, const std::function<void(size_t)>& work,
                  const std::function<bool(size_t)>& done);

}  // namespace tagclip
