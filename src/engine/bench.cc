#include <c10/util/StringUtil.h>

#include "base/error.h"
#include "base/heap.h"
#include "bench/loader_task.h"
#include "bench/report.h"
#include "bench/tasks.h"
#include "engine/commands.h"

namespace tagclip {
namespace {

constexpr int64_t kBatch = 2;  // photos of a train step

struct Job {
  Workload workload;
  bool trains = false;

  std::string name() const { return workload.name + (trains ? " train-step" : " segment"); }
};

std::vector<Job> jobs_of(const BenchOptions& options) {
  const auto chosen = [](const std::string& choice, const char* name) {
    return choice == "all" || choice == name;
  };
  std::vector<Job> jobs;
  for (const bool trains : {false, true}) {
    if (!chosen(options.what, trains ? "train-step" : "segment")) continue;
    if (chosen(options.model, "voc")) jobs.push_back({voc_workload(), trains});
    if (chosen(options.model, "coco")) jobs.push_back({coco_workload(), trains});
  }
  return jobs;
}

// A train step takes several times as long as a photo: half as many runs, rounded up.
Measurement measure(const Job& job, int64_t runs, Console& console) {
  console.note(c10::str(job.name(), ": building the model, warming up, comparing results"));
  const int64_t pairs = job.trains ? (runs + 1) / 2 : runs;
  const auto progress = [&](int64_t done) {
    console.progress(job.name() + " runs", done, pairs);
    return !console.stop_requested();
  };
  return job.trains ? measure_train_step(job.workload, kBatch, pairs, progress)
                    : measure_segment(job.workload, pairs, progress);
}

int exit_code(const std::vector<Measurement>& measurements, Console& console) {
  int code = 0;
  for (const Measurement& m : measurements) {
    if (m.agrees()) continue;
    console.warn(m.workload + " " + m.task +
                 ": our results are not those of the plain computation");
    code = 1;
  }
  return code;
}

int bench_loader(const BenchOptions& options, Console& console) {
  if (options.data.empty()) {
    throw usage_error("bench loader: no data set folder is given", "give --data FOLDER");
  }
  keep_freed_pages();  // as training does
  const Dataset data({.folder = options.data}, options.split);
  const LoaderSpeed speed = measure_loader(data, options.samples);
  console.print(options.json ? to_json(speed) : table_rows(speed));
  return 0;
}

}  // namespace
}  // namespace tagclip

int tagclip_bench(const tagclip::BenchOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  if (options.what == "loader") return bench_loader(options, console);
  console.note("measuring the speed of matrix products");
  const Machine machine = measure_machine();
  if (!options.json) console.print(table_head(machine));

  std::vector<Measurement> measurements;
  for (const Job& job : jobs_of(options)) {
    measurements.push_back(measure(job, options.runs, console));
    if (console.stop_requested()) {
      console.note("stopped in " + job.name() + ", which is left out");
      return kStopped;
    }
    if (!options.json) console.print(table_rows(measurements.back(), machine));
  }
  if (options.json) console.print(to_json(machine, measurements));
  return exit_code(measurements, console);
}
