#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "image/image.h"

namespace tagclip {

// Lists the files of an export, by their paths inside its folder ("train/images/a.jpg"), sorted.
// Hidden files and those that macOS adds to archives are left out.
class SourceFiles {
 public:
  // `source` is a folder, or one annotation file: then its folder counts, but no other annotation
  // file of the same ending. Throws Error(kBadInput) when it cannot be read, is an archive, or
  // holds more than two million files.
  // Photos and label files above `limits` are refused when they are read.
  explicit SourceFiles(const std::filesystem::path& source, const ImageLimits& limits = {});

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path path(const std::string& file) const { return folder_ / file; }
  const ImageLimits& limits() const { return limits_; }
  // Returns what the user named, for messages.
  const std::filesystem::path& source() const { return source_; }

  // Returns the files whose names end so, in any case: ".json".
  std::vector<std::string> with_ending(std::string_view ending) const;
  // Returns the files called `name`, in any folder and in any case.
  std::vector<std::string> called(std::string_view name) const;
  bool holds(const std::string& file) const;
  // Whether some file lies in a folder of that name.
  bool has_folder(std::string_view name) const;
  // Returns the files that are photos by their names.
  std::vector<std::string> photos() const;

  // Returns the photo that an annotation in `folder` calls `stated`, a name or a path of whatever
  // machine: beside the annotation, in the source, or the only one of that name anywhere in it;
  // also one with another ending. Throws Error(kBadInput) when there is none, or several.
  std::filesystem::path find_photo(const std::string& stated, const std::string& folder) const;
  // Returns a file's path inside the source, without ending.
  std::string name_of(const std::filesystem::path& file) const;

 private:
  std::filesystem::path source_, folder_;
  ImageLimits limits_;
  std::string chosen_;  // the one annotation file
  std::vector<std::string> files_;
  std::unordered_multimap<std::string, size_t> by_stem_;  // lower-case name without ending
};

// Returns the folder part of a path inside the source, without a slash at its end: "" for a file of
// its own folder.
std::string folder_of(const std::string& file);
// Returns a path without its folder: "a.jpg".
std::string file_name(const std::string& file);
// Returns a path without its ending: "train/images/a".
std::string without_ending(const std::string& file);
// Returns a text with ASCII letters in lower case; for file names and endings.
std::string ascii_lower(std::string_view text);
// Returns the parts of a path between its slashes.
std::vector<std::string> path_parts(const std::string& file);

}  // namespace tagclip
