#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace tagclip::bench {

// Matrix products reach these operations per second on this machine, by the precision of their
// factors ("float32", "bfloat16x3", "bfloat16", "int8"), the fastest of several; a multiply-add
// counts as two. Precisions that do not run on this processor are left out.
using PeakGemm = std::map<std::string, double>;

// Multiplies matrices of up to side x side; takes about a second per precision.
PeakGemm measure_peak_gemm(int64_t side = 2048);

struct Machine {
  std::string cpu;  // as the kernel names it
  int threads = 0;  // LibTorch's
  std::string libtorch;
  PeakGemm peak_gemm;  // empty where it was not measured

  // Returns the share of what matrix products of this precision reach.
  double share_of_peak(double operations_per_second, const std::string& precision) const;
};

// Describes this machine without measuring its peak.
Machine this_machine();
// Measures the peak, too. `side`: see measure_peak_gemm.
Machine measure_machine(int64_t side = 2048);

// Returns what all threads of this process together have spent on cores: on a busy machine that is
// worth more than the clock.
double core_seconds();

// Finds the most memory that this process holds while the object lives, shared libraries included.
class PeakMemory {
 public:
  // Gives back what the allocator keeps of earlier work, and restarts the kernel's high-water mark.
  PeakMemory();
  // Returns the bytes so far; nothing where the kernel does not let the mark be restarted.
  std::optional<int64_t> bytes() const;

 private:
  bool restarted_ = false;
};

// Runs `work` and returns the bytes that the process came to hold meanwhile.
std::optional<int64_t> memory_growth(const std::function<void()>& work);

}  // namespace tagclip::bench
