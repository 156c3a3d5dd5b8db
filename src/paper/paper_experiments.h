#pragma once

#include <string>
#include <vector>

#include "data/dataset_options.h"

namespace tagclip {

// One row of a table of the paper, or a point of a figure: a training run.
struct ExperimentRun {
  std::string label;                  // in reports, which know the paper's numbers by it
  std::vector<std::string> settings;  // NAME=VALUE, what sets it apart from the others
};

// "table1", ..., "table5", "figure5".
std::vector<std::string> experiment_names();

// The runs of one, in the paper's order. `data`: their data set, of which the paper's own are
// known. Throws Error(kUsage) for another name.
std::vector<ExperimentRun> experiment_runs(const std::string& name, const DatasetOptions& data);

}  // namespace tagclip
