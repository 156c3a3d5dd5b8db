#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// The material that the outputs of a photo are made from.
struct PhotoResult {
  const Image& photo;
  const SegmentedPhoto& segmented;
  const EmbeddedVocabulary& vocabulary;
  std::string photo_name, weights_name;  // for the reader
};

// A file that is written per photo.
struct Output {
  std::string_view name;    // "overlay"
  std::string_view ending;  // of the file's name: "_overlay.png"
  std::vector<std::byte> (*encode)(const PhotoResult& result);
};

// All of them. Another output is a function that encodes it, in a file of its own, and a row here.
std::span<const Output> outputs();

// The photo under translucent class colours with a legend, as PNG.
std::vector<std::byte> encode_overlay(const PhotoResult& result);
// The class of every pixel as PNG; see encode_label_map.
std::vector<std::byte> encode_labels(const PhotoResult& result);
// The meaning of the numbers of the label file; see to_json in summary.h.
std::vector<std::byte> encode_classes(const PhotoResult& result);

// The paths of a photo's outputs, in the order of outputs().
std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                const std::string& stem);

// Writes all outputs to these files, each whole or not at all, replacing what was there. Throws
// Error(kFailure) when a file cannot be written.
void write_outputs(const std::vector<std::filesystem::path>& files, const PhotoResult& result);

// True if a file has the name of an output that could be taken for a photo.
bool is_output_image(std::string_view file_name);

// A name for each photo's outputs: its file name without the ending, with -2, -3, ... where that is
// taken.
std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& photos);

}  // namespace tagclip
