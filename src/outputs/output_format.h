#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "draw/overlay.h"
#include "image/image.h"
#include "image/label_map.h"
#include "image/palette.h"
#include "outputs/regions.h"

namespace tagclip {

// Takes the bytes of a file as they come.
using ByteSink = std::function<void(std::span<const std::byte>)>;

// What all photos of a run have in common.
struct OutputRun {
  std::filesystem::path folder;      // of all results
  std::vector<std::string> classes;  // the names of the labels
  std::vector<Colour> palette;       // a colour per class
  std::string model;                 // its name, for the reader
  bool instances = false;            // regions are connected parts, each an object
  double simplify = 0;               // pixels that outlines may leave the borders by
};

// The class of this name is what tools do not annotate: its pixels belong to no region.
inline constexpr const char* kBackgroundClass = "background";

// Its label, or kIgnoreIndex where there is no such class.
uint16_t background_label(const std::vector<std::string>& classes);

// A photo with its labels, as annotation formats need it; also made from results that were written
// before (stored_result.h).
struct LabelledPhoto {
  std::filesystem::path file;  // the photo's
  std::string stem;            // of the names of its results
  const LabelMap& labels;
  const Regions& regions;
};

// A photo with all that has been computed.
struct PhotoOutput {
  const OutputRun& run;
  LabelledPhoto labelled;
  const Image& photo;
  std::vector<LegendEntry> legend;
  // The scores of these classes at every pixel, [height, width] each.
  std::function<std::vector<std::vector<float>>(std::span<const int> classes)> class_scores;
};

// One of the files in a folder of a photo's own.
struct NamedFile {
  std::string name;
  std::vector<std::byte> bytes;
};

// Writes a file that is about all photos of a run.
class RunFileWriter {
 public:
  virtual ~RunFileWriter() = default;
  virtual void add(const LabelledPhoto& photo) = 0;
  virtual void finish() = 0;
};

// Opens a writer of that kind: what RunFile::open is.
template <class Writer>
std::unique_ptr<RunFileWriter> open_run_file(const OutputRun& run, const ByteSink& sink) {
  return std::make_unique<Writer>(run, sink);
}

// A file that is about all photos of a run.
struct RunFile {
  std::string_view name;  // "coco/annotations.json"
  // `run` and `sink` outlive the writer.
  std::unique_ptr<RunFileWriter> (*open)(const OutputRun& run, const ByteSink& sink);
};

// One way of writing results: files per photo, files per run, or both.
struct OutputFormat {
  std::string_view name;     // what the user types
  std::string_view meaning;  // "the class of every pixel as PNG"
  std::string_view read_by;  // the programs that it is for; empty: any

  // The name of a photo's file, with {} for the photo's stem: "{}_labels.png". That of a folder
  // ends in a slash. Empty: photos have none.
  std::string_view photo_file = {};
  void (*write_photo)(const PhotoOutput& output, const ByteSink& sink) = nullptr;  // a file
  std::vector<NamedFile> (*photo_folder)(const PhotoOutput& output) = nullptr;     // a folder

  std::vector<RunFile> run_files = {};

  bool is_folder() const { return photo_folder != nullptr; }
};

// Returns all formats; each is in a file of its own, but those that are pictures.
const std::vector<OutputFormat>& output_formats();

// Returns the formats of a list with commas between, without repetitions and in the order of
// output_formats(). "none" is an empty list. Throws Error(kUsage) for an unknown name, with the one
// that may be meant.
std::vector<const OutputFormat*> parse_output_formats(const std::string& list);

// Where a format puts a photo's file or folder.
std::filesystem::path photo_path(const OutputFormat& format, const std::filesystem::path& folder,
                                 const std::string& stem);

// Whether files of the run are made from the label files of its photos, which must be there then.
bool needs_labels(const std::vector<const OutputFormat*>& formats);

// --- What formats share ---

// The name of a class as that of a file, without an ending: separators and control characters
// become _, and names that are equal then get a number. In the order of the classes.
std::vector<std::string> class_file_names(const std::vector<std::string>& classes);

// The photo's path as seen from a folder that the results lie in, with slashes; absolute where it
// is on no way from there.
std::string path_from(const std::filesystem::path& folder, const std::filesystem::path& photo);

std::span<const std::byte> bytes_of(std::string_view text);

}  // namespace tagclip
