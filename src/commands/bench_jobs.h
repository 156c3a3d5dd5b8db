#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "bench/tasks.h"
#include "commands/commands.h"

namespace tagclip {

// One row of the table.
struct BenchJob {
  Workload workload;
  std::string task;
  int64_t photos = 1;

  std::string name() const;  // as Measurement's
};

// The models that the options ask for, VOC's first.
std::vector<Workload> bench_workloads(const BenchOptions& options);
// The rows that run on this processor.
std::vector<BenchJob> bench_jobs(const BenchOptions& options);
// The names of all rows of random weights.
std::vector<std::string> usual_bench_rows();

// Measures it, telling how far it is.
Measurement measure_noisily(const BenchJob& job, int64_t runs, Console& console);

}  // namespace tagclip
