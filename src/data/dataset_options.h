#pragma once

#include <cstdint>
#include <string>

#include "base/fields.h"

namespace tagclip {

// The meaning of label value 0 where it is background (mmsegmentation's reduce_zero_label).
enum class ZeroLabel {
  kAuto,    // as usual for the kind: voc2012 and context59 reduce
  kKeep,    // background is the first class
  kReduce,  // background is void, and label k is class k - 1
};

inline const Choices<ZeroLabel> kZeroLabelNames = {
    {"auto", ZeroLabel::kAuto}, {"keep", ZeroLabel::kKeep}, {"reduce", ZeroLabel::kReduce}};

// A data set, and how its files are read.
struct DatasetOptions {
  std::string folder;
  std::string kind = "auto";  // one of dataset_kind_names(); auto recognises the folder
  // Classes hidden in training: empty: the set's own (unseen.txt, else the kind's usual ones),
  // "none", a built-in split such as "context-zs3", a list file, or class names or indices with
  // commas between them.
  std::string unseen;
  ZeroLabel zero_label = ZeroLabel::kAuto;
  int64_t max_pixels = 64LL << 20;  // larger photos and label files are refused
};

}  // namespace tagclip
