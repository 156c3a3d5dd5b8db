#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tagclip/tagclip.h"

namespace tagclip {

// How a label is drawn: the tags BrushLabels and PolygonLabels.
enum class LabelTool { kBrush, kPolygon };

// A label of the labelling interface.
struct ConfigLabel {
  std::string name;     // as annotations have it: the alias, else the value
  Words words;          // what to look for: `predicted_values`, else the value
  std::string control;  // the name of its BrushLabels or PolygonLabels
  LabelTool tool = LabelTool::kBrush;
};

// What the labelling interface of a Label Studio project asks for.
struct LabellingConfig {
  std::string image;      // the name of the Image tag
  std::string image_key;  // the member of a task's data that holds its address
  std::vector<ConfigLabel> labels;
  // The TextArea whose text is words to look for, one called prompt or with smart="true"; empty:
  // none.
  std::string prompt;
  std::string prompt_text;  // its value: a text, or "$KEY" of a task's data
};

// Returns what stands between the separators, trimmed, without what is empty.
Words words_between(std::string_view text, std::string_view separators);

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;

// Reads the XML of a labelling interface, of at most kMaxConfigBytes. Entities of its own are not
// expanded. Of several Images the first that has labels counts; a label that both tools offer is
// one of the brush. Throws Error(kBadInput) saying where it is no XML, and which tag is missing.
LabellingConfig parse_labelling_config(std::string_view xml);

}  // namespace tagclip
