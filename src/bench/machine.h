#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tagclip {

struct Machine {
  std::string cpu;  // as the kernel names it
  int threads = 0;  // LibTorch's
  std::string libtorch;
  double ceiling = 0;  // FLOP/s of large float32 matrix products: the best of several
};

// Takes a few seconds, for the ceiling.
Machine measure_machine();

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

}  // namespace tagclip
