#include "train/trainer.h"

#include "train/run_log.h"
#include "train/train_session.h"

namespace tagclip {
namespace {

// What the ranks have decided together, so that they stop after the same step.
bool stop_wanted(const Ranks& ranks, const TrainHooks& hooks) {
  return ranks.sum(hooks.stop_requested() ? 1 : 0) > 0;
}

}  // namespace

TrainOutcome train(const TrainConfig& config, const Ranks& ranks, const TrainHooks& hooks) {
  config.check();
  TrainSession run(config, ranks, hooks);
  std::optional<RunLog> log;
  if (ranks.first()) log.emplace(config.output, run.iteration(), run.validated());
  hooks.on_start(run.iteration());

  const int64_t last = config.schedule.iterations;
  bool stop = false, changed = false;
  while (!stop) {
    if (run.validation_is_due()) {
      const std::optional<SegmentationMetrics> metrics = run.validate();
      stop = !metrics;
      changed = true;
      if (metrics) {
        if (log) log->add(run.iteration(), *metrics);
        hooks.on_validation(run.iteration(), *metrics);
      }
    }
    if (stop || run.iteration() == last) break;
    const TrainReport report = run.advance();
    changed = true;
    hooks.on_step(report);
    if (log && report.iteration % config.log_every == 0) log->add(report);
    stop = stop_wanted(ranks, hooks);
    if (!stop && report.iteration % config.save_every == 0) run.save_state();
  }
  const bool saved = !changed && std::filesystem::exists(run.model_path());
  if (!saved) run.save_state();
  if (!saved && !stop) run.save_model();
  ranks.wait_for_all();  // who leaves first would be lost to the others
  return {run.iteration(), !stop};
}

}  // namespace tagclip
