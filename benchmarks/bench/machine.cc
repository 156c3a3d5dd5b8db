#include "bench/machine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/platform.h"
#include "infer/stage_times.h"
#include "kernels/linear/onednn.h"
#include "kernels/linear/precision.h"

namespace tagclip::bench {
namespace {

constexpr int kProducts = 20;
constexpr double kSeconds = 1;  // after which no further product is begun

// Returns what follows `key` and its colon in a file such as /proc/cpuinfo; empty where there is no
// such line.
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

// Returns the most operations per second that a product of side x side matrices reached.
double fastest(int64_t side, const std::function<void()>& product) {
  product();  // makes what it keeps
  const double operations = 2 * std::pow(static_cast<double>(side), 3);
  double best = 0, passed = 0;
  for (int i = 0; i < kProducts && passed < kSeconds; ++i) {
    Stopwatch watch;
    product();
    const double seconds = watch.lap();
    best = std::max(best, operations / seconds);
    passed += seconds;
  }
  return best;
}

double float_gemm(int64_t side, at::ScalarType type) {
  const at::Tensor a = at::rand({side, side}).to(type), b = at::rand({side, side}).to(type);
  at::Tensor product = at::mm(a, b);
  return fastest(side, [&] { at::mm_out(product, a, b); });
}

// Measures oneDNN's product of bytes with weights it has packed, to float32.
double int8_gemm(int64_t side) {
  const at::Tensor a = at::randint(0, 255, {side, side}, at::kByte), scales = at::ones({side});
  const at::Tensor b = onednn_pack_int8(at::randint(-127, 127, {side, side}, at::kChar));
  return fastest(side, [&] { onednn_multiply_bytes(a, 0, b, scales); });
}

double gemm(int64_t side, GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
      return float_gemm(side, at::kFloat);
    case GemmPrecision::kBFloat16x3:
      return float_gemm(side, at::kBFloat16) / 3;  // three products for one
    case GemmPrecision::kBFloat16:
      return float_gemm(side, at::kBFloat16);
    case GemmPrecision::kInt8:
      return int8_gemm(side);
  }
  TAGCLIP_CHECK(false, "not a GemmPrecision");
}

}  // namespace

// Small factors fit the cores' own memory, large ones have more to compute per byte: which is
// faster depends on the machine.
PeakGemm measure_peak_gemm(int64_t side) {
  PeakGemm peak;
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    double& best = peak[std::string(name_of(precision))];
    for (const int64_t n : {side / 2, side}) best = std::max(best, gemm(n, precision));
  }
  return peak;
}

Machine this_machine() {
  const std::string cpu = value_of("/proc/cpuinfo", "model name");
  return {.cpu = cpu.empty() ? "unnamed processor" : cpu,
          .threads = at::get_num_threads(),
          .libtorch = TORCH_VERSION,
          .peak_gemm = {}};
}

Machine measure_machine(int64_t side) {
  Machine machine = this_machine();
  machine.peak_gemm = measure_peak_gemm(side);
  return machine;
}

double Machine::share_of_peak(double operations_per_second, const std::string& precision) const {
  const auto peak = peak_gemm.find(precision);
  TAGCLIP_CHECK(peak != peak_gemm.end(), "no peak was measured for " + precision);
  return operations_per_second / peak->second;
}

double core_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

PeakMemory::PeakMemory() {
  return_freed_pages();
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

std::optional<int64_t> memory_growth(const std::function<void()>& work) {
  const PeakMemory memory;
  const std::optional<int64_t> before = memory.bytes();
  work();
  const std::optional<int64_t> peak = memory.bytes();
  return before && peak ? std::optional(*peak - *before) : std::nullopt;
}

}  // namespace tagclip::bench
