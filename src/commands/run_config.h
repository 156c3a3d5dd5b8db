#pragma once

#include <cstdint>
#include <string>

#include "base/fields.h"
#include "commands/commands.h"

namespace tagclip {

// Reads the config file, where one is given, and the --set overrides. False when the user only
// wanted to see the settings, which are then printed. Throws as read_config and
// FieldList::set_from_text.
bool read_run_config(const TrainOptions& options, FieldList& fields, Console& console);

// Tells of the `done` of `all` steps that an earlier run has left in `output`, if any.
void note_resumed(const std::string& output, int64_t done, int64_t all, Console& console);

// Of a job that was stopped: kStopped, or kRequeue.
int stopped_exit_code(const Console& console);

}  // namespace tagclip
