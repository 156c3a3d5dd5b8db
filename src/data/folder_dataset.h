#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/image.h"
#include "io/label_map.h"

namespace tagclip {

struct LabelledImage {
  Image image;
  LabelMap labels;  // of the image's size
};

// A data set in a folder: images/<name>.jpg|jpeg|png|webp, labels/<name>.png (index into
// classes.txt, 255 void), classes.txt, <split>.txt (names without ending), and optionally
// unseen.txt (class names hidden in training).
class FolderDataset {
 public:
  // Throws Error(kBadInput) listing what is missing: the folder, a list, photos or labels without
  // partner, an unseen name that is no class (with the nearest class name suggested), duplicates.
  FolderDataset(std::filesystem::path folder, const std::string& split);

  const std::filesystem::path& folder() const { return folder_; }
  size_t size() const { return names_.size(); }
  const std::string& name(size_t index) const { return names_[index]; }
  std::filesystem::path image_path(size_t index) const {
    return folder_ / "images" / photo_files_[index];
  }
  std::filesystem::path label_path(size_t index) const {
    return folder_ / "labels" / (names_[index] + ".png");
  }

  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<bool>& seen() const { return seen_; }  // per class; all true without unseen.txt

  Image image(size_t index) const;
  // Throws Error(kBadInput) when a label is out of range, naming the file, the value and the first
  // pixel.
  LabelMap labels(size_t index) const;
  // Both; throws as they do, and when their sizes differ.
  LabelledImage read(size_t index) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> names_;
  std::vector<std::string> photo_files_;  // in images/, of each name
  std::vector<std::string> classes_;
  std::vector<bool> seen_;
};

}  // namespace tagclip
