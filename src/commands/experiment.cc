#include <c10/util/StringUtil.h>

#include <algorithm>
#include <charconv>

#include "base/config_file.h"
#include "base/error.h"
#include "base/text_distance.h"
#include "commands/commands.h"
#include "commands/run_config.h"
#include "commands/train_noisily.h"
#include "paper/paper_tables.h"
#include "report/run_table.h"
#include "runs/training_run.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

void apply(const std::vector<std::string>& settings, TrainConfig& config) {
  FieldList fields = config.fields();
  for (const std::string& setting : settings) fields.set_from_text(setting);
}

TrainConfig base_config(const ExperimentOptions& options) {
  TrainConfig config;
  FieldList fields = config.fields();
  if (!options.config.empty()) read_config(options.config, fields);
  apply(options.overrides, config);
  if (!options.data.empty()) config.data.folder = options.data;
  return config;
}

// "table1/c:T-H-H" is kept in OUTPUT/c-T-H-H.
fs::path folder_of(const fs::path& output, const std::string& label) {
  std::string name = label.substr(label.find('/') + 1);
  std::ranges::replace(name, ':', '-');
  return output / name;
}

// All runs of an experiment, seed by seed, so that the first results of all rows come first.
std::vector<TrainConfig> queue(const ExperimentOptions& options) {
  const TrainConfig base = base_config(options);
  // Table 3 trains on one set and measures another, which gives it its name.
  const DatasetOptions& named =
      options.name == "table3" && !base.val_data.folder.empty() ? base.val_data : base.data;
  std::vector<ExperimentRun> runs = experiment_runs(options.name, named);
  std::vector<std::string> labels;
  for (const ExperimentRun& run : runs) labels.push_back(run.label);
  for (const std::string& label : options.only) {
    if (std::ranges::count(labels, label) > 0) continue;
    const auto meant = nearest(label, labels);
    throw usage_error(c10::str("--only: ", options.name, " has no run ", label),
                      meant ? "did you mean " + *meant + "?" : "--list shows all");
  }
  std::vector<TrainConfig> configs;
  for (int64_t seed = 1; seed <= options.seeds; ++seed) {
    for (const ExperimentRun& run : runs) {
      if (!options.only.empty() && std::ranges::count(options.only, run.label) == 0) continue;
      TrainConfig config = base;
      apply(run.settings, config);
      apply(options.overrides, config);  // the user has the last word
      if (!options.data.empty()) config.data.folder = options.data;
      config.label = run.label;
      config.seed = seed;
      config.output = folder_of(options.output, run.label) / c10::str("seed-", seed);
      configs.push_back(std::move(config));
    }
  }
  return configs;
}

// Each run with what sets it apart from the common config.
void list(std::vector<TrainConfig> configs, TrainConfig common, Console& console) {
  const FieldList shared = common.fields();
  for (TrainConfig& config : configs) {
    std::string line = c10::str(config.label, ", seed ", config.seed, ", in ", config.output, ":");
    const FieldList fields = config.fields();
    for (size_t i = 0; i < fields.all().size(); ++i) {
      const auto& [name, help, get, set] = fields.all()[i];
      const bool shown = name == "label" || name == "output" || name == "seed";
      if (!shown && get() != shared.all()[i].get()) line += " " + name + "=" + to_string(get());
    }
    console.print(line);
  }
}

void print_table(const fs::path& output, Console& console) {
  std::vector<TrainingRun> runs;
  for (const fs::path& folder : find_runs({output.string()})) {
    runs.push_back(read_training_run(folder));
  }
  console.print(format_run_table(group_runs(runs)));
  console.note(c10::str("the page with curves, classes and photos: tagclip report ",
                        output.string(), " -o report.html"));
}

}  // namespace
}  // namespace tagclip

int tagclip_experiment(const tagclip::ExperimentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const std::vector<TrainConfig> configs = queue(options);
  for (const TrainConfig& config : configs) config.check();
  if (options.list) {
    list(configs, base_config(options), console);
    return 0;
  }
  const Ranks ranks(read_rank_environment(), std::chrono::seconds(configs.front().rank_timeout));
  int64_t failed = 0;
  for (size_t i = 0; i < configs.size(); ++i) {
    const TrainConfig& config = configs[i];
    if (ranks.first()) {
      console.note(c10::str("run ", i + 1, " of ", configs.size(), ": ", config.label, ", seed ",
                            config.seed));
    }
    try {
      if (!train_noisily(config, ranks, console).finished) return stopped_exit_code(console);
    } catch (const Error& error) {
      // One row that diverges is no reason to lose the others; what concerns all rows ends them.
      if (error.kind() != ErrorKind::kFailure || !ranks.alone()) throw;
      console.warn(c10::str(config.label, ", seed ", config.seed, ": ", error.what()));
      ++failed;
    }
  }
  if (ranks.first()) print_table(options.output, console);
  return failed > 0 ? static_cast<int>(ErrorKind::kFailure) : 0;
}
