#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// Where the results of a photo go.
struct ResultFiles {
  ResultFiles(const std::filesystem::path& folder, const std::string& stem);

  bool any_exists() const;

  std::filesystem::path overlay;  // <stem>_overlay.png, to look at
  std::filesystem::path labels;   // <stem>_labels.png, the class of every pixel
  std::filesystem::path classes;  // <stem>_classes.json, what the classes are
};

// Whether a file name is that of an overlay or label file.
bool is_result_name(const std::string& name);

// A name for each photo's results: its file name without the ending, with -2, -3, ... where that is
// taken.
std::vector<std::string> result_stems(const std::vector<std::filesystem::path>& photos);

// The overlay with its legend.
Image draw_result(const Image& photo, const SegmentedPhoto& result,
                  const EmbeddedVocabulary& vocabulary);

// Writes all three, each whole or not at all, replacing what was there. `classes_json`: see
// to_json. Throws Error(kFailure) when a file cannot be written.
void write_results(const ResultFiles& files, const Image& photo, const SegmentedPhoto& result,
                   const EmbeddedVocabulary& vocabulary, const std::string& classes_json);

}  // namespace tagclip
