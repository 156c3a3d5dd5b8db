#pragma once

#include <CLI/CLI.hpp>

#include "data/dataset_options.h"

namespace tagclip {

// Options that say how a data set is to be understood: its kind, unseen classes, zero label.
void add_dataset_options(CLI::App& app, DatasetOptions& options);

}  // namespace tagclip
