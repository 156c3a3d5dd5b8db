#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bench/ceiling.h"

namespace tagclip::bench {

struct Machine {
  std::string cpu;  // as the kernel names it
  int threads = 0;  // LibTorch's
  std::string libtorch;
  Ceilings ceilings;

  // How much that is of what matrix products of this precision reach.
  double share(double operations_per_second, const std::string& precision) const;
};

// `side`: see measure_ceilings.
Machine measure_machine(int64_t side = 2048);

// What all threads of this process together have spent on cores: on a busy machine worth more than
// the clock.
double core_seconds();

// The most memory this process holds while the object lives, shared libraries included.
class PeakMemory {
 public:
  // Gives back what the allocator keeps of earlier work, and restarts the kernel's high-water mark.
  PeakMemory();
  // Bytes so far; nothing where the kernel does not let the mark be restarted.
  std::optional<int64_t> bytes() const;

 private:
  bool restarted_ = false;
};

// Runs `work`; bytes that the process came to hold meanwhile.
std::optional<int64_t> memory_growth(const std::function<void()>& work);

}  // namespace tagclip::bench
