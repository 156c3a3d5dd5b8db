#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/result_record.h"
#include "infer/sliding_segmenter.h"
#include "outputs/output_format.h"
#include "tagclip/outputs.h"

namespace tagclip {

// The formats that a user asked for, and how they are written.
struct OutputSet {
  std::vector<const OutputFormat*> formats;
  bool instances = false;
  int64_t min_region = 0;
  SmallRegions small_regions = SmallRegions::kMerge;
  double simplify = 0;
};

// Throws Error(kUsage) for an unknown format, with the one that may be meant. The label file is
// among the formats where files of the run are made from it.
OutputSet output_set(const OutputOptions& options);

// Adds the settings that change results, where they are not the defaults.
void add_made_from(const OutputSet& set, MadeFrom& made_from);

// Merges or drops small regions; the shares and scores of the classes are found again. A pixel
// keeps the score of its best class.
void clean_small_regions(const OutputSet& set, const EmbeddedVocabulary& vocabulary,
                         SegmentedPhoto& segmented);

// The material that the outputs of a photo are made from.
struct PhotoResult {
  const Image& photo;
  const SegmentedPhoto& segmented;
  const EmbeddedVocabulary& vocabulary;
  std::string photo_name, weights_name;   // for the reader
  MadeFrom made_from = {};                // kept in the class file; empty: nothing is
  std::filesystem::path photo_file = {};  // for formats that refer to the photo
  std::string stem = {};                  // of the names of the outputs
  // The scores of classes at every pixel; see class_scores in sliding_segmenter.h.
  std::function<std::vector<std::vector<float>>(std::span<const int>)> class_scores = {};
};

// What the photos of a run have in common, for formats.
OutputRun output_run(const std::filesystem::path& folder, const EmbeddedVocabulary& vocabulary,
                     const std::string& weights_name, const OutputSet& set);

// A photo's result as formats take it. The result and the run must outlive it.
class FormatInput {
 public:
  FormatInput(const PhotoResult& result, const OutputRun& run);
  FormatInput(const FormatInput&) = delete;

  const PhotoOutput& output() const { return output_; }

 private:
  Regions regions_;
  PhotoOutput output_;
};

// The bytes of a format's file for a photo.
std::vector<std::byte> encode(const OutputFormat& format, const PhotoOutput& output);

// The photo under translucent class colours, of its own size.
Image draw_overlay(const PhotoResult& result);

// The paths of a photo's outputs: the class file, which says what the others are (see to_json in
// summary.h), then a file or folder per format that has one for photos.
std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                const std::string& stem, const OutputSet& set);
// What they are, in the same order: "classes", "labels", ...
std::vector<std::string> output_names(const OutputSet& set);

// Throws Error(kBadInput) where a file or folder stands that is in the way of an output, or holds
// what is none, and for names that the file system does not take.
void check_places(const std::vector<std::filesystem::path>& files, const OutputSet& set);

// Writes all outputs to these files, each whole or not at all, replacing what was there once all
// are on the disk. The class file comes first: a process that is killed meanwhile leaves no labels
// without it, nor beside that of others. Throws Error(kFailure) when a file cannot be written.
void write_outputs(const std::vector<std::filesystem::path>& files, const PhotoResult& result,
                   const OutputRun& run, const OutputSet& set);

// The class file among the outputs of a photo.
inline const std::filesystem::path& class_file_of(const std::vector<std::filesystem::path>& files) {
  return files.at(0);
}
// The class file of a photo by its stem.
std::filesystem::path class_file(const std::filesystem::path& folder, const std::string& stem);

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
