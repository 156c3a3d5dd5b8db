#include "bench/machine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int kProducts = 20;

// What follows `key` and its colon in a file such as /proc/cpuinfo; empty where there is no such
// line.
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

double matmul_ceiling(int64_t side) {
  const at::Tensor a = at::rand({side, side}), b = at::rand({side, side});
  at::Tensor product = at::mm(a, b);
  const double flops = 2 * std::pow(static_cast<double>(side), 3);
  double best = 0;
  for (int i = 0; i < kProducts; ++i) {
    Stopwatch watch;
    at::mm_out(product, a, b);
    best = std::max(best, flops / watch.lap());
  }
  return best;
}

}  // namespace

Machine measure_machine(int64_t side) {
  const std::string cpu = value_of("/proc/cpuinfo", "model name");
  return {.cpu = cpu.empty() ? "unnamed processor" : cpu,
          .threads = at::get_num_threads(),
          .libtorch = TORCH_VERSION,
          .ceiling = matmul_ceiling(side)};
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
