#include "commands/run_config.h"

#include "base/config_file.h"
#include "base/error.h"

namespace tagclip {

bool read_run_config(const TrainOptions& options, FieldList& fields, Console& console) {
  try {
    if (!options.config.empty()) read_config(options.config, fields);
    for (const std::string& assignment : options.overrides) fields.set_from_text(assignment);
  } catch (const Error& error) {
    if (!error.hint().empty()) throw;
    throw Error(error.kind(), error.what(),
                "--print-config alone lists every setting with its meaning");
  }
  if (options.print_config) console.print(to_toml(fields));
  return !options.print_config;
}

void note_resumed(const std::string& output, int64_t done, int64_t all, Console& console) {
  if (done == 0) return;
  const std::string count = std::to_string(done) + " of " + std::to_string(all);
  console.note(done < all ? "resuming from " + count + " in " + output
                          : output + " already holds the finished run, " + count);
}

int stopped_exit_code(const Console& console) {
  // StopReason::kNone means that another rank was told to stop.
  return console.stop_reason() == StopReason::kUser ? kStopped : kRequeue;
}

}  // namespace tagclip
