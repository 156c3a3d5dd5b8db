#include "fetch/interruption.h"

#include <algorithm>
#include <thread>

namespace tagclip {

void pause(std::chrono::milliseconds time, const Console& console) {
  constexpr std::chrono::milliseconds kGlance(50);
  for (; time.count() > 0; time -= kGlance) {
    if (console.stop_requested()) throw Stopped{};
    std::this_thread::sleep_for(std::min(time, kGlance));
  }
}

}  // namespace tagclip
