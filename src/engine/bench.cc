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
  std::string task;
  int64_t photos = 1;

  std::string name() const { return workload.name + " " + task; }
};

// Every task on every model. A batch of 16 is the recipe's; of COCO's classes, plain losses of 16
// photos would take 27 GiB.
std::vector<Job> all_jobs() {
  return {{voc_workload(), "segment"},
          {coco_workload(), "segment"},
          {voc_workload(), "train-step", kBatch},
          {coco_workload(), "train-step", kBatch},
          {voc_workload(), "losses", 16},
          {coco_workload(), "losses", 4}};
}

std::vector<Job> jobs_of(const BenchOptions& options) {
  std::vector<Job> jobs = all_jobs();
  const std::string name = options.model == "voc" ? "VOC" : "COCO";
  std::erase_if(jobs, [&](const Job& job) {
    return (options.what != "all" && options.what != job.task) ||
           (options.model != "all" && name != job.workload.name);
  });
  return jobs;
}

// A train step takes several times as long as a photo, and so do plain losses: half as many runs,
// rounded up.
Measurement measure(const Job& job, int64_t runs, Console& console) {
  console.note(c10::str(job.name(), ": warming up, comparing results"));
  const bool segments = job.task == "segment";
  const int64_t pairs = segments ? runs : (runs + 1) / 2;
  const auto progress = [&](int64_t done) {
    console.progress(job.name() + " runs", done, pairs);
    return !console.stop_requested();
  };
  if (segments) return measure_segment(job.workload, pairs, progress);
  return job.task == "losses" ? measure_losses(job.workload, job.photos, pairs, progress)
                              : measure_train_step(job.workload, job.photos, pairs, progress);
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
