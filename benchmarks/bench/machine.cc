#include "bench/machine.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/platform.h"

namespace tagclip::bench {
namespace {

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

}  // namespace

Machine measure_machine(int64_t side) {
  const std::string cpu = value_of("/proc/cpuinfo", "model name");
  return {.cpu = cpu.empty() ? "unnamed processor" : cpu,
          .threads = at::get_num_threads(),
          .libtorch = TORCH_VERSION,
          .ceilings = measure_ceilings(side)};
}

double Machine::share(double operations_per_second, const std::string& precision) const {
  const auto ceiling = ceilings.find(precision);
  TAGCLIP_CHECK(ceiling != ceilings.end(), "no ceiling was measured for " + precision);
  return operations_per_second / ceiling->second;
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
