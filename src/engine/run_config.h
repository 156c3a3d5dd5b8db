#pragma once

#include <string>

#include "base/fields.h"
#include "engine/commands.h"

namespace tagclip {

// Reads the config file and the --set overrides. False when the user only wanted to see the settings,
// which are then printed.
bool read_run_config(const TrainOptions& options, FieldList& fields, Console& console);

std::string fixed(double value, int digits);
std::string scientific(double value);

}  // namespace tagclip
