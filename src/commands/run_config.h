#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/config_file.h"
#include "base/console.h"
#include "commands/commands.h"
#include "train/pretrain.h"
#include "train/train_config.h"

namespace tagclip {

// Returns what `work` does. An error of a setting without a hint gets one: where all settings are
// listed.
bool with_setting_hint(const std::function<bool()>& work);

// Reads a config file. Relative paths of inputs in it are looked for beside the file; those that
// are only where the program runs, where earlier versions looked for all, are taken from there, and
// the console hears of it. Throws as read_config.
void read_config_file(const std::filesystem::path& file, TrainConfig& config, Console& console);
void read_config_file(const std::filesystem::path& file, PretrainConfig& config, Console& console);

// Reads the config file, where one is given, and the overrides, whose paths are relative to where
// the program runs. With print_config it prints the settings and returns false. Throws as
// read_config_file and FieldList::set_from_text.
template <class Config>
bool read_run_config(const TrainOptions& options, Config& config, Console& console) {
  return with_setting_hint([&] {
    if (!options.config.empty()) read_config_file(options.config, config, console);
    FieldList fields = config.fields();
    for (const std::string& assignment : options.overrides) fields.set_from_text(assignment);
    if (options.print_config) console.print(to_toml(fields));
    return !options.print_config;
  });
}

// Notes that `done` of `all` steps are in `output` from an earlier session, if any are.
void note_resumed(const std::string& output, int64_t done, int64_t all, Console& console);

// Returns what `work` does; where it ends with Error(kStopped), that is said and the exit code of a
// stopped job is returned.
int unless_stopped_early(Console& console, const std::function<int()>& work);

// The exit code of a stopped job: kStopped for the user's Ctrl-C, kRequeue for the scheduler.
int stopped_exit_code(const Console& console);

}  // namespace tagclip
