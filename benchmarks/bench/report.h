#pragma once

#include <string>
#include <vector>

#include "bench/loader_task.h"
#include "bench/machine.h"
#include "bench/measurement.h"

namespace tagclip::bench {

// The table in pieces, for a reader who watches it grow. No line break at the end.
std::string table_head(const Machine& machine);
std::string table_rows(const Measurement& measurement, const Machine& machine);

// All of it as one object.
std::string to_json(const Machine& machine, const std::vector<Measurement>& measurements);

// The same of the loader.
std::string table_rows(const LoaderSpeed& speed);
std::string to_json(const LoaderSpeed& speed);

}  // namespace tagclip::bench
