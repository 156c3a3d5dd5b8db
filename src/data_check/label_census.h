#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/dataset_info.h"
#include "data_check/pair_facts.h"

namespace tagclip {

struct Count {
  uint64_t pixels = 0;
  uint64_t files = 0;  // that hold it
  std::string first;   // name of the first of them
};

// How often each value occurs in label files of one sort, as stored.
struct ValueCensus {
  std::map<int, Count> values;  // without void
  Count void_pixels;
  uint64_t pixels = 0;  // all

  bool has(int value) const { return values.contains(value); }
  double share(int value) const;  // of all pixels
  double void_share() const;
};

// Of the label files of sort `label_files`, over all pairs.
void add_values(ValueCensus& census, const std::vector<LabelledFile>& pairs,
                const std::vector<PairFacts>& facts, size_t label_files);

// How often each class occurs in a split.
struct ClassCensus {
  std::vector<Count> classes;
  uint64_t labelled = 0;  // pixels of a class
  uint64_t pixels = 0;    // all, void and background included
};
ClassCensus count_classes(const DatasetInfo& info, const std::vector<LabelledFile>& pairs,
                          const std::vector<PairFacts>& facts);

}  // namespace tagclip
