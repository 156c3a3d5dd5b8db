#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tagclip/options.h"

namespace tagclip {

// By what the scores of a model are to be made less sure; see tempered() in metrics/reliability.h.
// 1 leaves them as they are.
struct Calibration {
  double seen = 1;   // of classes the model was trained on
  double novel = 1;  // of others

  bool operator==(const Calibration&) const = default;
};

// The file beside weights that holds their calibrations, one per mode: "model.calibration.json".
std::filesystem::path calibration_file(const std::filesystem::path& weights);

// Reads the calibration of a mode; nothing where there is no file, or none for the mode. Throws
// Error(kBadInput) for a file that is not as written by write_calibration.
std::optional<Calibration> read_calibration(const std::filesystem::path& weights, Mode mode);

// Adds the calibration of a mode to the file, or replaces it. `measured_on`: the data, for the
// reader. Throws as read_calibration, and Error(kFailure) where the file cannot be written.
void write_calibration(const std::filesystem::path& weights, Mode mode, const Calibration& found,
                       const std::string& measured_on);

}  // namespace tagclip
