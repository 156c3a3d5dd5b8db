#include <ATen/Parallel.h>

#include <iostream>

#include "base/error.h"
#include "base/platform.h"
#include "bench/floors.h"
#include "bench/loader_task.h"
#include "bench/report.h"
#include "bench/scaling.h"
#include "bench/turns.h"
#include "commands/bench_jobs.h"
#include "commands/commands.h"
#include "infer/embedding_file.h"

namespace tagclip {
namespace {

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

int bench_scaling(const BenchOptions& options, Console& console) {
  Workload workload = bench_workloads(options).front();
  workload.precision = parse_precision(options.precision);
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

int bench_turns(const BenchOptions& options, Console& console) {
  if (options.weights.empty() || options.text_embeddings.empty() || options.photo.empty()) {
    throw usage_error("bench turns: something is missing",
                      "give --weights, --text-embeddings and --photo");
  }
  const Image photo = read_image(options.photo);
  InferenceModel model = load_for_inference({.weights = options.weights});
  model.dense = in_precision(std::move(model.dense), parse_precision(options.precision));
  const SlidingSegmenter segmenter(*model.dense,
                                   read_text_embeddings(options.text_embeddings, model));
  segment_by_turns(segmenter, photo, std::cin,
                   [&](const Turn& turn) { console.print(to_json(turn)); });
  return 0;
}

// Whether all results are right, and none slower than it may be.
bool pass(const std::vector<Measurement>& measurements, const Floors& floors, Console& console) {
  bool good = true;
  const auto complain = [&](const std::string& sentence) {
    console.warn(sentence);
    good = false;
  };
  for (const Measurement& m : measurements) {
    if (!m.agrees()) complain(m.name() + ": our results are not those of the plain computation");
  }
  for (const std::string& sentence : below(floors, measurements)) complain(sentence);
  return good;
}

int bench_models(const BenchOptions& options, Console& console) {
  const std::vector<BenchJob> jobs = bench_jobs(options);
  std::vector<std::string> rows = usual_bench_rows();
  for (const BenchJob& job : jobs) rows.push_back(job.name());
  const Floors floors = options.floors.empty() ? Floors() : read_floors(options.floors, rows);
  console.note("measuring the speed of matrix products");
  const Machine machine = measure_machine();
  if (!options.json) console.print(table_head(machine));

  std::vector<Measurement> measurements;
  for (const BenchJob& job : jobs) {
    measurements.push_back(measure_noisily(job, options.runs, console));
    if (console.stop_requested()) {
      console.note("stopped in " + job.name() + ", which is left out");
      return kStopped;
    }
    if (!options.json) console.print(table_rows(measurements.back(), machine));
  }
  if (options.json) console.print(to_json(machine, measurements));
  return pass(measurements, floors, console) ? 0 : static_cast<int>(ErrorKind::kFailure);
}

}  // namespace
}  // namespace tagclip

int tagclip_bench(const tagclip::BenchOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  if (options.what == "loader") return bench_loader(options, console);
  if (options.what == "scaling") return bench_scaling(options, console);
  if (options.what == "turns") return bench_turns(options, console);
  return bench_models(options, console);
}
