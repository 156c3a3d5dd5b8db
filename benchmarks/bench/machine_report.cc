#include "bench/machine_report.h"

#include <c10/util/StringUtil.h>

#include <nlohmann/json.hpp>

#include "bench/format.h"

namespace tagclip::bench {

std::string describe(const Machine& machine) {
  std::string text =
      c10::str(machine.cpu, ", ", machine.threads, machine.threads == 1 ? " thread" : " threads",
               ", LibTorch ", machine.libtorch, "\nmatrix products reach");
  const char* separator = " ";
  for (const auto& [precision, ceiling] : machine.ceilings) {
    text += c10::str(separator, formatted("%.0f", ceiling / 1e9), " GFLOP/s in ", precision);
    separator = ", ";
  }
  return text + ": the ceilings\n";
}

nlohmann::ordered_json json_of(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"threads", machine.threads},
          {"libtorch", machine.libtorch},
          {"ceilings_flops_per_second", machine.ceilings}};
}

}  // namespace tagclip::bench
