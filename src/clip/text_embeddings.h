#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "clip/clip.h"
#include "text/class_words.h"

namespace tagclip {

struct TextEmbeddings {
  at::Tensor rows;                     // [C, d], unit length
  std::vector<std::string> truncated;  // texts that were longer than the tower's context
};

// The text embedding of each class (spec section 1): every synonym in every template is encoded and
// normalised, the mean over all of them normalised again. Memory is bounded whatever the number of
// classes.
TextEmbeddings embed_classes(const TextTower& tower, const ClipConfig& config,
                             const std::vector<ClassWords>& classes,
                             const std::vector<std::string>& templates);

}  // namespace tagclip
