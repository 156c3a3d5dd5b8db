#pragma once

#include <filesystem>
#include <string>

#include "infer/sliding_segmenter.h"

namespace tagclip {

// 0.4312 -> "43.1%"
std::string percent(double share);

// The last part of a path that may be a folder's, with or without a slash at its end.
std::string last_name(const std::filesystem::path& path);

// Classes that cover less than this share of a photo are only counted in what people read.
inline constexpr double kWorthNaming = 0.001;

// "cat 43.1%, kite 22.0% (new), 2 more below 0.1%": new is what the model was not trained on, where
// it was trained on other classes of the vocabulary.
std::string describe(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary);

// What the numbers of a label file mean: its classes, largest first, as a JSON object over several
// lines. `photo` and `weights` are names for the reader.
std::string to_json(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary,
                    const std::string& photo, const std::string& weights);

}  // namespace tagclip
