#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace tagclip {

// A quantity over the iterations of a run.
using Curve = std::map<int64_t, double>;

// The curves of a run's log.jsonl by the names there: "loss", "lr", "mIoU(U)", ...
using TrainingCurves = std::map<std::string, Curve>;

// Reads a log of at most 32 MiB: an object with "iteration" and numbers a line; nulls are left out,
// and so is a last line that is not finished yet. Throws Error(kBadInput) naming the file and the
// line for anything else, and for more than 64 quantities.
TrainingCurves read_training_curves(const std::filesystem::path& path);

}  // namespace tagclip
