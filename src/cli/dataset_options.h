#pragma once

#include "cli/options.h"
#include "data/dataset_options.h"

namespace tagclip {

// Options that say how a data set is to be understood: its kind, unseen classes, zero label.
void add_dataset_options(OptionList& list, DatasetOptions& options);

}  // namespace tagclip
