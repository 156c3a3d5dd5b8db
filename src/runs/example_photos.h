#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/image.h"

namespace tagclip {

// A validation photo of a run as a report shows it: small, classes laid over it.
struct ExamplePhoto {
  std::string name;
  Image photo, prediction, truth;  // of one size; the latter two with their classes' colours
  std::vector<bool> present;       // per class: whether prediction or truth has it
};

// The first few photos of a run's examples/ by name (NAME.photo.png, NAME.labels.png,
// NAME.truth.png); none where there is no such folder. Throws Error(kBadInput) naming the file for
// a damaged or missing picture, sizes that differ, and a label that is none of `classes` classes.
std::vector<ExamplePhoto> read_example_photos(const std::filesystem::path& folder, size_t classes);

}  // namespace tagclip
