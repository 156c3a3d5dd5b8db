#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset_info.h"
#include "data/split_files.h"
#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

struct LabelledImage {
  Image image;
  LabelMap labels;  // of the image's size
};

// Whether a list may name photos or label files that are not there; to read such a pair throws.
enum class MissingFiles { kRefused, kKept };

// One split of a data set: images with a label for every pixel. `dataset_kinds.cc` has the layout
// of each kind; a set's own classes.txt, unseen.txt and split lists take precedence.
class Dataset {
 public:
  // Reads the lists. Throws Error: kBadInput when the folder is no such set, a list is missing or
  // wrong, an image has no labels or labels no image (of all of them, where missing files are
  // kept), an unseen name is no class; kUsage for options that do not fit the kind.
  Dataset(const DatasetOptions& options, const std::string& split,
          MissingFiles missing = MissingFiles::kRefused);

  const DatasetInfo& info() const { return info_; }
  const std::filesystem::path& folder() const { return info_.folder; }
  size_t size() const { return files_.size(); }
  const std::string& name(size_t index) const { return files_[index].name; }
  std::filesystem::path image_path(size_t index) const { return folder() / files_[index].photo; }
  std::filesystem::path label_path(size_t index) const { return folder() / files_[index].labels; }

  const std::vector<std::string>& classes() const { return info_.classes; }  // their names
  const std::vector<ClassWords>& words() const { return info_.words; }       // with synonyms
  const std::vector<bool>& seen() const { return info_.seen; }               // per class

  Image image(size_t index) const;
  // The labels as classes, whatever coding the file has. Throws Error(kBadInput) when a value is
  // out of range, naming the file, the value and the first pixel.
  LabelMap labels(size_t index) const;
  // Reads both. Throws as they do, and when their sizes differ.
  LabelledImage read(size_t index) const;

 private:
  DatasetInfo info_;
  std::vector<LabelledFile> files_;
};

}  // namespace tagclip
