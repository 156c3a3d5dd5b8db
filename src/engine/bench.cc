#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include <algorithm>

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
  // The word on the command line that asks for it.
  std::string group() const {
    return task == "blend" || task == "mask-loss" ? "kernels" : task;
  }
};

// A batch of 16 is the recipe's; of hundreds of classes, plain losses of 16 photos would take tens
// of GiB.
int64_t loss_photos(const Workload& workload) { return workload.classes <= 20 ? 16 : 2; }

std::vector<Workload> workloads_of(const BenchOptions& options) {
  if (!options.weights.empty()) return {workload_of(options.weights)};
  if (options.model == "voc") return {voc_workload()};
  if (options.model == "coco") return {coco_workload()};
  return {voc_workload(), coco_workload()};
}

std::vector<Job> jobs_of(const BenchOptions& options) {
  const std::vector<Workload> workloads = workloads_of(options);
  std::vector<Job> jobs;
  for (const char* task : {"segment", "train-step", "blend", "mask-loss"}) {
    for (const Workload& workload : workloads) jobs.push_back({workload, task});
  }
  std::erase_if(jobs, [&](const Job& job) {
    return options.what != "all" && options.what != job.group();
  });
  for (Job& job : jobs) {
    if (job.task == "train-step") job.photos = kBatch;
    if (job.task == "mask-loss") job.photos = loss_photos(job.workload);
  }
  return jobs;
}

// A train step takes several times as long as a photo, and so do plain losses: half as many runs,
// rounded up.
Measurement measure(const Job& job, int64_t runs, Console& console) {
  console.note(job.name() + ": warming up, comparing results");
  const int64_t pairs = job.task == "segment" ? runs : (runs + 1) / 2;
  const auto progress = [&](int64_t done) {
    console.progress(job.name() + " runs", done, pairs);
    return !console.stop_requested();
  };
  if (job.task == "segment") return measure_segment(job.workload, pairs, progress);
  if (job.task == "blend") return measure_blend(job.workload, pairs, progress);
  if (job.task == "mask-loss") {
    return measure_mask_loss(job.workload, job.photos, pairs, progress);
  }
  return measure_train_step(job.workload, job.photos, pairs, progress);
}

int exit_code(const std::vector<Measurement>& measurements, Console& console) {
  int code = 0;
  for (const Measurement& m : measurements) {
    if (m.agrees()) continue;
    console.warn(m.name() + ": our results are not those of the plain computation");
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

int bench_models(const BenchOptions& options, Console& console) {
  const std::vector<Job> jobs = jobs_of(options);
  console.note("measuring the speed of matrix products");
  const Machine machine = measure_machine();
  if (!options.json) console.print(table_head(machine));

  std::vector<Measurement> measurements;
  for (const Job& job : jobs) {
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

}  // namespace
}  // namespace tagclip

int tagclip_bench(const tagclip::BenchOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  return options.what == "loader" ? bench_loader(options, console)
                                  : bench_models(options, console);
}
