// Any bytes as a file of a training run's folder: refused, or read into numbers in their range. The
// first byte picks the file.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/config_file.h"
#include "base/error.h"
#include "runs/run_record.h"
#include "runs/training_run.h"

namespace {

void read(int kind, const std::filesystem::path& path) {
  if (kind == 0) {
    const tagclip::RunData data = tagclip::read_run_record(path).data;
    TAGCLIP_CHECK(data.classes.size() == data.seen.size(), "a mark a class");
  } else if (kind == 1) {
    for (const double iou : tagclip::read_metrics_file(path).metrics.iou) {
      TAGCLIP_CHECK(!(iou < 0 || iou > 1), "an IoU out of its range");
    }
  } else if (kind == 2) {
    for (const auto& [name, curve] : tagclip::read_training_curves(path)) {
      TAGCLIP_CHECK(!curve.empty(), "a curve without points");
    }
  } else {
    tagclip::read_settings(path);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tagclip-fuzz-run-" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data) + 1, static_cast<std::streamsize>(size - 1));
  try {
    read(data[0] % 4, path);
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}
