#include "bench/commands.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "base/error.h"
#include "base/platform.h"
#include "bench/floors.h"
#include "bench/modes.h"
#include "bench/report.h"
#include "bench/scaling.h"
#include "bench/script_tasks.h"
#include "bench/tasks.h"
#include "infer/embedding_file.h"
#include "model/init_from_clip.h"

namespace tagclip::bench {
namespace {

constexpr int64_t kStepPhotos = 2;
constexpr int64_t kLossPhotos =
    2;  // the reference's losses of 16 photos and COCO's classes take 27 GiB

// One row of the comparison's table.
struct Job {
  Workload workload;
  std::string task;
  int64_t photos = 1;

  std::string name() const {
    return Measurement{.workload = workload.name,
                       .task = task,
                       .precision = std::string(name_of(workload.precision))}
        .name();
  }
  // Returns the command that measures it.
  std::string command() const { return task == "blend" || task == "mask-loss" ? "kernels" : task; }
  // Says why the row cannot be measured on this processor; empty where it can.
  const std::string& unsupported() const { return gemm_support(workload.precision).reason; }
};

void use_threads(int64_t threads) {
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
}

// Throws Error(kUsage) before anything is measured where the precision does not run here.
GemmPrecision precision_here(const std::string& word) {
  const GemmPrecision precision = parse_precision(word);
  check_runs_here(precision);
  return precision;
}

std::vector<Workload> workloads_of(const WorkloadOptions& choice) {
  if (!choice.weights.empty()) return {workload_of(choice.weights)};
  if (choice.model == "voc") return {voc_workload()};
  if (choice.model == "coco") return {coco_workload()};
  return {voc_workload(), coco_workload()};
}

std::vector<Job> all_jobs(const std::vector<Workload>& workloads) {
  std::vector<Job> jobs;
  const auto add = [&](Workload workload, const char* task, GemmPrecision precision,
                       int64_t photos) {
    workload.precision = precision;
    jobs.push_back({std::move(workload), task, photos});
  };
  for (const Workload& workload : workloads) {
    for (const GemmPrecision precision : kGemmPrecisions) add(workload, "segment", precision, 1);
  }
  for (const Workload& workload : workloads) {
    for (const auto precision : {GemmPrecision::kFloat32, GemmPrecision::kBFloat16}) {
      add(workload, "train-step", precision, kStepPhotos);
    }
  }
  for (const Workload& workload : workloads) add(workload, "blend", GemmPrecision::kFloat32, 1);
  for (const Workload& workload : workloads) {
    add(workload, "mask-loss", GemmPrecision::kFloat32, kLossPhotos);
  }
  return jobs;
}

// Returns the rows of the command, whether or not they run on this processor.
std::vector<Job> jobs_of(const ComparisonOptions& options) {
  std::vector<Job> jobs = all_jobs(workloads_of(options));
  if (options.task != "all") {
    std::erase_if(jobs, [&](const Job& job) { return job.command() != options.task; });
  }
  return jobs;
}

// Floors may name the rows of random weights, measured or not, and those that are measured.
Floors floors_of(const ComparisonOptions& options, const std::vector<Job>& jobs) {
  if (options.floors.empty()) return {};
  std::vector<std::string> rows;
  for (const Job& job : all_jobs(workloads_of({}))) rows.push_back(job.name());
  for (const Job& job : jobs) rows.push_back(job.name());
  return read_floors(options.floors, rows);
}

// A train step takes several times as long as a photo, and so do the reference's losses: half as
// many runs, rounded up.
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

// Returns whether all results agree and no ratio is under its floor; warns of those that fail.
bool pass(const std::vector<Measurement>& measurements, const Floors& floors, Console& console) {
  bool good = true;
  const auto complain = [&](const std::string& sentence) {
    console.warn(sentence);
    good = false;
  };
  for (const Measurement& m : measurements) {
    if (!m.agrees()) complain(m.name() + ": our results are not those of plain LibTorch");
  }
  for (const std::string& sentence : below(floors, measurements)) complain(sentence);
  return good;
}

}  // namespace

int run_comparison(const ComparisonOptions& options, Console& console) {
  use_threads(options.threads);
  const std::vector<Job> jobs = jobs_of(options);
  const Floors floors = floors_of(options, jobs);
  console.note("measuring the speed of matrix products");
  const Machine machine = measure_machine();
  if (!options.json) console.print(table_head(machine));

  std::vector<Measurement> measurements;
  std::vector<UnsupportedRow> left_out;
  for (const Job& job : jobs) {
    if (!job.unsupported().empty()) {
      left_out.push_back({job.name(), job.unsupported()});
      if (!options.json) console.print(table_row(left_out.back()));
      continue;
    }
    measurements.push_back(measure(job, options.runs, console));
    if (console.stop_requested()) {
      console.note("stopped in " + job.name() + ", which is left out");
      return kStopped;
    }
    if (!options.json) console.print(table_rows(measurements.back(), machine));
  }
  if (options.json) console.print(to_json(machine, measurements, left_out));
  return pass(measurements, floors, console) ? 0 : static_cast<int>(ErrorKind::kFailure);
}

int run_token_cost(const TokenCostOptions& options, Console& console) {
  use_threads(options.threads);
  const GemmPrecision precision = precision_here(options.precision);
  const Machine machine = this_machine();
  if (!options.json) console.print(token_cost_head(machine));
  std::vector<TokenCost> costs;
  for (Workload workload : workloads_of(options)) {
    workload.precision = precision;
    costs.push_back(measure_token_cost(workload, kStepPhotos, options.runs,
                                       [&](const std::string& task, int64_t done, int64_t pairs) {
                                         console.progress(workload.name + " " + task + " runs",
                                                          done, pairs);
                                         return !console.stop_requested();
                                       }));
    if (!options.json) console.print(token_cost_rows(costs.back()));
    if (console.stop_requested()) break;
  }
  if (options.json) console.print(to_json(machine, costs));
  return console.stop_requested() ? kStopped : 0;
}

int run_modes(const ModesOptions& options, Console& console) {
  use_threads(options.threads);
  const GemmPrecision precision = precision_here(options.precision);
  const Clip clip =
      options.weights.empty() ? random_clip() : load_starting_clip(options.weights).clip;
  const Machine machine = this_machine();
  if (!options.json) console.print(modes_head(machine, options.precision));
  std::vector<ModeSpeed> speeds;
  measure_modes(clip, precision, options.runs, [&](const ModeSpeed& speed) {
    speeds.push_back(speed);
    if (!options.json) console.print(modes_row(speed));
    return !console.stop_requested();
  });
  if (options.json) console.print(to_json(machine, speeds));
  return console.stop_requested() ? kStopped : 0;
}

int run_scaling(const ScalingOptions& options, Console& console) {
  use_threads(options.threads);
  Workload workload = workloads_of(options).front();
  workload.precision = precision_here(options.precision);
  const Machine machine = measure_machine();
  if (!options.json) console.print(scaling_head(machine, options.by));
  std::vector<ScalingPoint> points;
  measure_scaling(workload, options.by, options.runs, [&](const ScalingPoint& point) {
    points.push_back(point);
    if (!options.json) console.print(scaling_row(point));
    return !console.stop_requested();
  });
  if (options.json) console.print(to_json(machine, options.by, points));
  return console.stop_requested() ? kStopped : 0;
}

int run_loader(const LoaderSpeedOptions& options, Console& console) {
  keep_freed_pages();  // as training does
  const LoaderSpeed speed = measure_loader(options.data, options.split, options.samples);
  console.print(options.json ? to_json(speed) : table_rows(speed));
  return 0;
}

int run_interleaved(const InterleavedOptions& options, Console& console) {
  use_threads(options.threads);
  const GemmPrecision precision = precision_here(options.precision);
  const Image photo = read_image(options.photo);
  InferenceModel model = load_for_inference(options.weights);
  model.model = in_precision(std::move(model.model), precision);
  const SlidingSegmenter segmenter(model.model,
                                   read_text_embeddings(options.text_embeddings, model));
  segment_on_request(segmenter, photo, std::cin,
                     [&](const TimedRun& run) { console.print(to_json(run)); });
  return 0;
}

int run_precisions(const PrecisionsOptions& options, Console& console) {
  const Machine machine = this_machine();
  console.print(options.json ? precisions_json(machine) : precisions_table(machine));
  return 0;
}

}  // namespace tagclip::bench
