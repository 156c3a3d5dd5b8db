#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "label_formats/label_source.h"

namespace tagclip {

// The meaning of pixels that the annotations leave open.
enum class Unlabelled {
  kBackground,  // a class of its own, label 0
  kVoid,        // nothing is learnt from them
};

// A class of the set that was written.
struct ConvertedClass {
  std::string name;
  uint64_t pixels = 0;
  uint64_t photos = 0;             // that show it
  uint64_t validation_photos = 0;  // of these
};

// What a conversion did.
struct LabelConversion {
  std::filesystem::path source, output;
  std::string format;
  std::vector<ConvertedClass> classes;
  std::vector<std::pair<std::string, size_t>> splits;  // name and photos
  bool splits_are_the_sources = false;
  size_t near_duplicates = 0;  // photos that stay in a split together with a photo they resemble
  uint64_t pixels = 0, unlabelled = 0, void_pixels = 0;
  Unlabelled unlabelled_became = Unlabelled::kBackground;
  std::vector<LeftOutItem> left_out;
  std::vector<std::string> notes;

  size_t photos() const;
  // Whether a photo or an annotation could not be used.
  bool has_failures() const;
};

// Return a text for people, and the same as a JSON object.
std::string format_report(const LabelConversion& conversion);
std::string to_json(const LabelConversion& conversion);

}  // namespace tagclip
