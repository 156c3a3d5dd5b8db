#include "train/trainer.h"

#include "train/run_files.h"
#include "train/train_session.h"

namespace tagclip {
namespace {

// What the ranks have decided together, so that they stop after the same step.
bool stop_wanted(const Ranks& ranks, const TrainHooks& hooks) {
  return ranks.sum(hooks.stop_requested() ? 1 : 0) > 0;
}

// Whether an earlier session left nothing to do.
bool is_over(const TrainSession& run, int64_t last) {
  return run.iteration() == last && !run.validation_is_due() &&
         std::filesystem::exists(run.model_path());
}

// One validation; false when the user stopped it.
bool validate(TrainSession& run, std::optional<RunFiles>& files, const TrainHooks& hooks) {
  const std::optional<Validation> validation = run.validate();
  if (!validation) return false;
  if (files) files->add(run.iteration(), *validation);
  hooks.on_validation(run.iteration(), validation->metrics);
  return true;
}

}  // namespace

TrainOutcome train(const TrainConfig& config, const Ranks& ranks, const TrainHooks& hooks) {
  config.check();
  TrainSession run(config, ranks, hooks);
  hooks.on_start(run.iteration());
  const int64_t last = config.schedule.iterations;
  if (is_over(run, last)) return {last, /*finished=*/true};
  std::optional<RunFiles> files;
  if (ranks.first()) files.emplace(config.output, run.record(), run.iteration(), run.validated());

  bool stop = false;
  while (!stop) {
    if (run.validation_is_due()) stop = !validate(run, files, hooks);
    if (stop || run.iteration() == last) break;
    const TrainReport report = run.advance();
    hooks.on_step(report);
    if (files && report.iteration % config.log_every == 0) files->add(report);
    stop = stop_wanted(ranks, hooks);
    if (!stop && report.iteration % config.save_every == 0) {
      run.save_state();
      if (files) files->save_record(/*finished=*/false);
    }
  }
  run.save_state();
  if (!stop) run.save_model();
  if (files) files->save_record(/*finished=*/!stop);
  ranks.wait_for_all();  // who leaves first would be lost to the others
  return {run.iteration(), !stop};
}

}  // namespace tagclip
