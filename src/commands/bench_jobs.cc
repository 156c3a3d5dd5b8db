#include "commands/bench_jobs.h"

#include <algorithm>

namespace tagclip {
namespace {

constexpr int64_t kBatch = 2;  // photos of a train step

// Of the recipe's 16 photos, plain losses of COCO's classes would take 27 GiB.
constexpr int64_t kLossPhotos = 2;

// The word on the command line that asks for it.
std::string group_of(const BenchJob& job) {
  return job.task == "blend" || job.task == "mask-loss" ? "kernels" : job.task;
}

}  // namespace

std::string BenchJob::name() const {
  return Measurement{.workload = workload.name,
                     .task = task,
                     .precision = std::string(name_of(workload.precision))}
      .name();
}

std::vector<Workload> bench_workloads(const BenchOptions& options) {
  if (!options.weights.empty()) return {workload_of(options.weights)};
  if (options.model == "voc") return {voc_workload()};
  if (options.model == "coco") return {coco_workload()};
  return {voc_workload(), coco_workload()};
}

namespace {

std::vector<BenchJob> all_jobs(const std::vector<Workload>& workloads) {
  std::vector<BenchJob> jobs;
  for (const Workload& workload : workloads) {
    for (const GemmPrecision precision : kGemmPrecisions) {
      jobs.push_back({workload, "segment"});
      jobs.back().workload.precision = precision;
    }
  }
  for (const Workload& workload : workloads) {
    for (const auto precision : {GemmPrecision::kFloat32, GemmPrecision::kBFloat16}) {
      jobs.push_back({workload, "train-step"});
      jobs.back().workload.precision = precision;
    }
  }
  for (const char* task : {"blend", "mask-loss"}) {
    for (const Workload& workload : workloads) jobs.push_back({workload, task});
  }
  return jobs;
}

}  // namespace

std::vector<BenchJob> bench_jobs(const BenchOptions& options) {
  std::vector<BenchJob> jobs = all_jobs(bench_workloads(options));
  std::erase_if(jobs, [&](const BenchJob& job) {
    return (options.what != "all" && options.what != group_of(job)) ||
           !runs_here(job.workload.precision);
  });
  for (BenchJob& job : jobs) {
    if (job.task == "train-step") job.photos = kBatch;
    if (job.task == "mask-loss") job.photos = kLossPhotos;
  }
  return jobs;
}

std::vector<std::string> usual_bench_rows() {
  std::vector<std::string> names;
  for (const BenchJob& job : all_jobs(bench_workloads({}))) names.push_back(job.name());
  return names;
}

// A train step takes several times as long as a photo, and so do plain losses: half as many runs,
// rounded up.
Measurement measure_noisily(const BenchJob& job, int64_t runs, Console& console) {
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

}  // namespace tagclip
