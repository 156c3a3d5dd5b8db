#pragma once

#include <cstdint>
#include <string>

#include "base/fields.h"
#include "commands/commands.h"

namespace tagclip {

// Reads the config file, where one is given, and the overrides. With print_config it prints the
// settings and returns false. Throws as read_config and FieldList::set_from_text.
bool read_run_config(const TrainOptions& options, FieldList& fields, Console& console);

// Notes that `done` of `all` steps are in `output` from an earlier session, if any are.
void note_resumed(const std::string& output, int64_t done, int64_t all, Console& console);

// The exit code of a stopped job: kStopped for the user's Ctrl-C, kRequeue for the scheduler.
int stopped_exit_code(const Console& console);

}  // namespace tagclip
