#include "bench/machine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int64_t kSide = 2048;
constexpr int kProducts = 20;

// What follows `key` and its colon in a file such as /proc/cpuinfo; empty where there is no such line.
std::string value_of(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

double matmul_ceiling() {
  const at::Tensor a = at::rand({kSide, kSide}), b = at::rand({kSide, kSide});
  at::Tensor product = at::mm(a, b);
  double best = 0;
  for (int i = 0; i < kProducts; ++i) {
    Stopwatch watch;
    at::mm_out(product, a, b);
    best = std::max(best, 2.0 * kSide * kSide * kSide / watch.lap());
  }
  return best;
}

}  // namespace

Machine measure_machine() {
  const std::string cpu = value_of("/proc/cpuinfo", "model name");
  return {.cpu = cpu.empty() ? "unnamed processor" : cpu,
          .threads = at::get_num_threads(),
          .libtorch = TORCH_VERSION,
          .ceiling = matmul_ceiling()};
}

PeakMemory::PeakMemory() {
  ::malloc_trim(0);
  std::ofstream marks("/proc/self/clear_refs");
  restarted_ = static_cast<bool>(marks << '5' << std::flush);  // 5: the high-water mark
}

std::optional<int64_t> PeakMemory::bytes() const {
  if (!restarted_) return {};
  std::istringstream mark(value_of("/proc/self/status", "VmHWM"));
  int64_t kibibytes = 0;
  if (!(mark >> kibibytes)) return {};
  return kibibytes << 10;
}

}  // namespace tagclip
