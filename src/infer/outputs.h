#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/result_record.h"
#include "infer/sliding_segmenter.h"

namespace tagclip {

// The material that the outputs of a photo are made from.
struct PhotoResult {
  const Image& photo;
  const SegmentedPhoto& segmented;
  const EmbeddedVocabulary& vocabulary;
  std::string photo_name, weights_name;  // for the reader
  MadeFrom made_from = {};               // kept in the class file; empty: nothing is
};

// A file that is written per photo.
struct Output {
  std::string_view name;    // "overlay"
  std::string_view ending;  // of the file's name: "_overlay.png"
  std::vector<std::byte> (*encode)(const PhotoResult& result);
};

// All of them. Another output is a function that encodes it, in a file of its own, and a row here.
std::span<const Output> outputs();

// The photo under translucent class colours, of its own size.
Image draw_overlay(const PhotoResult& result);
// The same with a legend, as PNG.
std::vector<std::byte> encode_overlay(const PhotoResult& result);
// The class of every pixel as PNG; see encode_label_map.
std::vector<std::byte> encode_labels(const PhotoResult& result);
// The meaning of the numbers of the label file; see to_json in summary.h.
std::vector<std::byte> encode_classes(const PhotoResult& result);

// The paths of a photo's outputs, in the order of outputs().
std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                const std::string& stem);

// Writes all outputs to these files, each whole or not at all, replacing what was there once all
// are on the disk. The class file comes first: a process that is killed meanwhile leaves no labels
// without it, nor beside that of others. Throws Error(kFailure) when a file cannot be written.
void write_outputs(const std::vector<std::filesystem::path>& files, const PhotoResult& result);

// The class file among the outputs of a photo, which says what they are.
const std::filesystem::path& class_file_of(const std::vector<std::filesystem::path>& files);

// The stem of an output that could be taken for a photo, by the name of its file.
std::optional<std::string> stem_of_image(std::string_view file_name);
// True if outputs of that stem in the folder are this program's: their class file tells.
bool is_result(const std::filesystem::path& folder, const std::string& stem);

// A name for each photo's outputs: its file name without the ending, with -2, -3, ... where that is
// taken. One that would make the names of outputs longer than file systems allow is cut, and a
// digest of it appended, so that it stays the same and is nobody else's.
std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& photos);
// The name before the number.
std::string output_stem(const std::filesystem::path& photo);

}  // namespace tagclip
