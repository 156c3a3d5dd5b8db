#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/config_file.h"
#include "base/error.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"
#include "commands/train.h"
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

TrainConfig base_config(const ExperimentOptions& options, Console& console) {
  TrainConfig config;
  if (!options.config.empty()) read_config_file(options.config, config, console);
  apply(options.overrides, config);
  if (!options.data.empty()) config.data.folders = {options.data};
  return config;
}

// Returns the folder of a label's runs: "table1/c:T-H-H" is kept in OUTPUT/c-T-H-H.
fs::path folder_of(const fs::path& output, const std::string& label) {
  std::string name = label.substr(label.find('/') + 1);
  std::ranges::replace(name, ':', '-');
  return output / name;
}

// Throws Error(kUsage) when the config file asks for another setting than the experiment: its
// results would stand under a wrong label.
void check_setting(const ExperimentOptions& options, const ExperimentRun& run) {
  if (options.config.empty()) return;
  const Settings given = read_settings(options.config);
  const auto setting = given.find("setting");
  if (setting == given.end()) return;
  TrainConfig expected;
  apply(run.settings, expected);
  TrainConfig found = expected;
  found.fields().set("setting", setting->second);
  if (found.setting == expected.setting) return;
  throw usage_error(fmt::format("{} has setting = {}, but {} is measured with another one",
                                options.config.string(), to_string(setting->second), options.name),
                    "give a config without `setting`, or the experiment that it was written for");
}

// Names of the settings in "name=value" texts.
std::vector<std::string> names_of(const std::vector<std::string>& settings) {
  std::vector<std::string> names;
  for (const std::string& text : settings) {
    names.emplace_back(trim(std::string_view(text).substr(0, text.find('='))));
  }
  return names;
}

// Values of all settings by name.
Settings values_of(TrainConfig& config) {
  Settings values;
  const FieldList fields = config.fields();
  for (const Field& field : fields.all()) values[field.name] = field.get();
  return values;
}

// The config of one run. The user's settings come last, but may not change those that define the
// run: throws Error(kUsage) for these.
TrainConfig config_of(const ExperimentRun& run, int64_t seed, const TrainConfig& base,
                      const ExperimentOptions& options) {
  TrainConfig config = base;
  apply(run.settings, config);
  config.label = run.label;
  config.output = folder_of(options.output, run.label) / fmt::format("seed-{}", seed);
  const Settings before = values_of(config);
  apply(options.overrides, config);
  const Settings after = values_of(config);
  for (const std::string& name : names_of(run.settings)) {
    if (before.at(name) == after.at(name)) continue;
    throw usage_error(
        fmt::format("{} = {}: {} of {} is defined by {} = {}", name, to_string(after.at(name)),
                    run.label, options.name, name, to_string(before.at(name))),
        "train a run with other values of it on its own, under another label");
  }
  if (!options.data.empty()) config.data.folders = {options.data};
  config.seed = seed;
  return config;
}

// Throws Error(kUsage) for settings that every run has of its own.
void check_overrides(const std::vector<std::string>& overrides) {
  for (const std::string& name : names_of(overrides)) {
    if (name == "output") {
      throw usage_error("output: every run of an experiment has a folder of its own",
                        "name the folder of all runs as the experiment's output");
    }
    if (name == "label") {
      throw usage_error("label: every run of an experiment has a label of its own",
                        "reports know the paper's numbers by it");
    }
  }
}

// Throws Error(kUsage) for a label that no run has.
void check_labels(const ExperimentOptions& options, const std::vector<ExperimentRun>& runs) {
  std::vector<std::string> labels;
  for (const ExperimentRun& run : runs) labels.push_back(run.label);
  for (const std::string& label : options.only) {
    if (std::ranges::count(labels, label) > 0) continue;
    throw usage_error(fmt::format("`only`: {} has no run {}", options.name, label),
                      did_you_mean(label, labels, "`list` shows its runs"));
  }
}

// A setting that a run is made without, because it could have no effect there.
struct LeftOut {
  std::string label;
  IdleSetting setting;
};

// Takes settings that could have no effect in a run out of it, unless they could have none in any
// run: those stay, to be refused. Returns what was taken out.
std::vector<LeftOut> leave_out_idle_settings(std::vector<TrainConfig>& configs) {
  std::map<std::string, size_t> idle_in;
  for (const TrainConfig& config : configs) {
    for (const IdleSetting& idle : idle_settings(config)) ++idle_in[idle.name];
  }
  std::vector<LeftOut> left_out;
  for (TrainConfig& config : configs) {
    const auto next = [&]() -> std::optional<IdleSetting> {
      for (IdleSetting& idle : idle_settings(config)) {
        if (idle_in[idle.name] < configs.size()) return std::move(idle);
      }
      return {};
    };
    // One by one: a setting may be without effect because of another one that was left out.
    while (const std::optional<IdleSetting> idle = next()) {
      config.fields().set(idle->name, idle->default_value);
      left_out.push_back({config.label, *idle});
    }
  }
  return left_out;
}

// Says what was left out, once for all runs of a setting and a reason.
void say_left_out(const std::vector<LeftOut>& left_out, Console& console) {
  std::map<std::string, std::vector<std::string>> labels;
  for (const auto& [label, idle] : left_out) {
    auto& runs =
        labels[fmt::format("{} = {} has no effect without {}", idle.name, idle.value, idle.needs)];
    if (std::ranges::count(runs, label) == 0) runs.push_back(label);
  }
  for (const auto& [what, runs] : labels) {
    console.note(fmt::format("{}: left out of {}", what, fmt::join(runs, ", ")));
  }
}

// All runs of an experiment, seed by seed, so that the first results of all rows come first. The
// first seed is that of the config.
std::vector<TrainConfig> queue(const ExperimentOptions& options, const TrainConfig& base) {
  check_overrides(options.overrides);
  // Table 3 is called after the set it is measured on, not the one it is trained on.
  const std::vector<LabelSetOptions> sets =
      options.name == "table3" ? validation_sets(base) : training_sets(base);
  if (sets.size() > 1) {
    throw usage_error(fmt::format("data: the paper's {} is about one data set, found {}",
                                  options.name, sets.size()),
                      "name one");
  }
  const DatasetOptions measured = sets.empty() ? DatasetOptions() : sets.front().data;
  const std::vector<ExperimentRun> runs = experiment_runs(options.name, measured);
  check_labels(options, runs);
  check_setting(options, runs.front());
  std::vector<TrainConfig> configs;
  for (int64_t i = 0; i < options.seeds; ++i) {
    for (const ExperimentRun& run : runs) {
      if (!options.only.empty() && std::ranges::count(options.only, run.label) == 0) continue;
      configs.push_back(config_of(run, base.seed + i, base, options));
    }
  }
  return configs;
}

// Prints each run with the settings in which it differs from the common config.
void list(const std::vector<TrainConfig>& configs, const TrainConfig& common, Console& console) {
  const ConstFieldList shared = common.fields();
  for (const TrainConfig& config : configs) {
    std::string line = fmt::format("{}, seed {}, in {}:", config.label, config.seed, config.output);
    const ConstFieldList fields = config.fields();
    for (const Field& field : fields.all()) {
      const std::string& name = field.name;
      const bool shown = name == "label" || name == "output" || name == "seed";
      const FieldValue value = field.get();
      if (!shown && value != shared.at(name).get()) line += " " + name + "=" + to_string(value);
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
  console.note(
      fmt::format("the page with curves, classes and photos: tagclip report {} -o report.html",
                  output.string()));
}

int train_all(const std::vector<TrainConfig>& configs, const fs::path& output, const World& world,
              Console& console) {
  int64_t failed = 0;
  for (size_t i = 0; i < configs.size(); ++i) {
    const TrainConfig& config = configs[i];
    if (world.is_root()) {
      console.note(fmt::format("run {} of {}: {}, seed {}", i + 1, configs.size(), config.label,
                               config.seed));
    }
    try {
      if (!train_with_progress(config, world, console).finished) return stopped_exit_code(console);
    } catch (const Error& error) {
      // A row that diverges does not cost the others; an error that concerns all rows ends them.
      if (error.kind() != ErrorKind::kFailure || !world.is_single()) throw;
      console.warn(fmt::format("{}, seed {}: {}", config.label, config.seed, error.what()));
      ++failed;
    }
  }
  if (world.is_root()) print_table(output, console);
  return failed > 0 ? static_cast<int>(ErrorKind::kFailure) : 0;
}

}  // namespace
}  // namespace tagclip

int tagclip_experiment(const tagclip::ExperimentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const TrainConfig base = base_config(options, console);
  std::vector<TrainConfig> configs = queue(options, base);
  const std::vector<LeftOut> left_out = leave_out_idle_settings(configs);
  for (const TrainConfig& config : configs) config.check();
  if (options.list) {
    say_left_out(left_out, console);
    list(configs, base, console);
    return 0;
  }
  return unless_stopped_early(console, [&] {
    const World world = World::join(console, std::chrono::seconds(configs.front().rank_timeout));
    if (world.is_root()) say_left_out(left_out, console);
    return train_all(configs, options.output, world, console);
  });
}
