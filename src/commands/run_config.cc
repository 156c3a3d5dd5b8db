#include "commands/run_config.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {

namespace {

namespace fs = std::filesystem;

// The path of an input as the config file means it.
std::string resolved(const fs::path& file, const std::string& name, const std::string& text,
                     Console& console) {
  const fs::path beside = (file.parent_path() / text).lexically_normal();
  if (fs::path(text).is_absolute() || file.parent_path().empty()) return text;
  if (path_status(beside).kind != PathKind::kNothing) return beside;
  if (path_status(text).kind != PathKind::kNothing) {
    console.note(fmt::format(
        "{}: {} = {} is not beside this file; it is taken from the folder that tagclip runs in",
        file.string(), name, text));
  }
  return text;
}

// A pipe has no folder.
bool has_folder(const fs::path& file) { return path_status(file).kind == PathKind::kFile; }

}  // namespace

void read_config_file(const fs::path& file, TrainConfig& config, Console& console) {
  FieldList fields = config.fields();
  read_config(file, fields);
  if (!has_folder(file)) return;
  for_each_input(config, [&](const std::string& name, std::string& path) {
    path = resolved(file, name, path, console);
  });
}

void read_config_file(const fs::path& file, PretrainConfig& config, Console& console) {
  read_config(file, "source", [&](const std::vector<std::string>& names) {
    config.sources.clear();
    for (const std::string& name : names) config.sources.push_back({.name = name});
    return config.fields();
  });
  if (!has_folder(file)) return;
  for (const PretrainInput& input : input_paths(config)) {
    *input.path = resolved(file, input.setting, *input.path, console);
  }
}

bool with_setting_hint(const std::function<bool()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!error.hint().empty()) throw;
    throw Error(error.kind(), error.what(),
                "--print-config alone lists every setting with its meaning");
  }
}

void note_resumed(const std::string& output, int64_t done, int64_t all, Console& console) {
  if (done == 0) return;
  const std::string count = std::to_string(done) + " of " + std::to_string(all);
  console.note(done < all ? "resuming from " + count + " in " + output
                          : output + " already holds the finished run, " + count);
}

int unless_stopped_early(Console& console, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kStopped) throw;
    console.note(error.what());
    return stopped_exit_code(console);
  }
}

int stopped_exit_code(const Console& console) {
  // StopReason::kNone means that another rank was told to stop.
  return console.stop_reason() == StopReason::kUser ? kStopped : kRequeue;
}

}  // namespace tagclip
