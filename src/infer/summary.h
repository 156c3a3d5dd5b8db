#pragma once

#include <filesystem>
#include <string>

#include "infer/result_record.h"
#include "infer/sliding_segmenter.h"
#include "outputs/regions.h"

namespace tagclip {

// 0.4312 -> "43.1%"
std::string percent(double share);

// The last part of a path, which may be a folder's with a slash at its end.
std::string last_name(const std::filesystem::path& path);

// Classes that cover less than this share of a photo are only counted in texts for people.
inline constexpr double kWorthNaming = 0.001;

// "cat 43.1%, kite 22.0% (new), 2 more below 0.1%; not there: dog". A class is new when the model
// was not trained on it but on other classes of the vocabulary.
std::string describe(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary);

// The classes of a label file, largest first, as a JSON object over several lines. `photo` and
// `weights` are names for the reader. `made_from` is left out where it is empty. `regions` are
// listed where they are given, with their boxes (left, top, width, height) in pixels.
std::string to_json(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary,
                    const std::string& photo, const std::string& weights,
                    const MadeFrom& made_from = {}, const Regions* regions = nullptr);

// The member of that object that holds `made_from`.
inline constexpr const char* kMadeFromKey = "made_from";

}  // namespace tagclip
