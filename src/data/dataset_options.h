#pragma once

#include <string>

namespace tagclip {

// What becomes of label value 0 where it is background (mmsegmentation's reduce_zero_label).
enum class ZeroLabel {
  kAuto,    // as the kind of set is used: only voc2012 and context59 reduce
  kKeep,    // background is a class, the first
  kReduce,  // background is void, and label k is class k - 1
};

// Which data set, and how it is to be understood.
struct DatasetOptions {
  std::string folder;
  std::string kind = "auto";  // folder, voc2012, coco-stuff, context59, context60; auto looks
  // Classes hidden in training: empty = the set's own (unseen.txt, else the kind's usual ones),
  // "none", a built-in split such as "context-zs3", a list file, or class names or indices with
  // commas between them.
  std::string unseen;
  ZeroLabel zero_label = ZeroLabel::kAuto;
};

}  // namespace tagclip
