#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tagclip {

struct Machine {
  std::string cpu;  // as the kernel names it
  int threads = 0;  // LibTorch's
  std::string libtorch;
  double ceiling = 0;  // FLOP/s of float32 matrix products: the best of several
};

// Multiplies matrices of side x side for the ceiling; large ones take a few seconds.
Machine measure_machine(int64_t side = 2048);

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
