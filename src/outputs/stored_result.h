#pragma once

#include <filesystem>

#include "outputs/output_format.h"

namespace tagclip {

// Labels and regions that were written before.
struct StoredResult {
  LabelMap labels;
  Regions regions;  // with their scores
};

// Reads a photo's label file and the class file beside it. `run` says how the regions are made.
// Throws Error(kBadInput) when a file cannot be read or does not fit the other.
StoredResult read_stored_result(const std::filesystem::path& label_file,
                                const std::filesystem::path& class_file, const OutputRun& run);

// The files of a run while they are written. Each appears whole or not at all.
class RunFiles {
 public:
  // `run` must outlive it. Throws Error(kFailure) for files that are there and are not those that
  // this program wrote, unless told to `overwrite`, and where none can be written.
  RunFiles(const OutputRun& run, const std::vector<const OutputFormat*>& formats, bool overwrite);
  ~RunFiles();

  void add(const LabelledPhoto& photo);
  // Puts the files in their places.
  void commit();

 private:
  struct Open;
  std::vector<std::unique_ptr<Open>> files_;
};

// Throws as the constructor of RunFiles, but writes nothing.
void check_run_files(const std::filesystem::path& folder,
                     const std::vector<const OutputFormat*>& formats, bool overwrite);

}  // namespace tagclip
