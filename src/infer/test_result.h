#pragma once

#include <algorithm>
#include <string>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// 1000 pixels: 900 of class 0, 99 of class 2, 1 unlabelled. Tests only.
inline SegmentedPhoto example_result() {
  SegmentedPhoto result{.labels = {100, 10, std::vector<uint16_t>(1000, 0)},
                        .found = {{0, 0.9, 0.5}, {2, 0.099, 0.25}},
                        .unlabelled = 0.001};
  result.scores.assign(1000, 0.5F);
  std::fill_n(result.labels.labels.begin() + 900, 99, 2);
  result.labels.labels[999] = kIgnoreIndex;
  return result;
}

inline EmbeddedVocabulary example_words(size_t more = 0) {
  EmbeddedVocabulary vocabulary{.classes = {{{"cat", "kitten"}}, {{"dog"}}, {{"sky"}}},
                                .seen = {true, true, false},
                                .templates = {"a {}"}};
  for (size_t i = 0; i < more; ++i) {
    vocabulary.classes.push_back({{std::to_string(i)}});
    vocabulary.seen.push_back(false);
  }
  return vocabulary;
}

}  // namespace tagclip
