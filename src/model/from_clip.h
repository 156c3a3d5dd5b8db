#pragma once

#include <filesystem>

#include "clip/dialect.h"
#include "model/segmentation_model.h"

namespace tagclip {

// Copies both towers of a CLIP into a model that is to be tuned: visual.* to backbone.*, the text
// tower to text_encoder.*. The position grid is resized bilinearly to the model's resolution (spec
// section 2.2). Everything else keeps its values. The model must have the CLIP's sizes and a text
// tower.
void start_from_clip(SegmentationModel& model, const Clip& clip);

struct StartingClip {
  Clip clip;
  std::string assumption;         // see ClipWeights
  bool knows_temperature = true;  // otherwise it is 100, where CLIP's training ends
};

// Reads a CLIP in any dialect, or out of a segmentation model with a text tower: training leaves
// the towers as they were. Throws Error(kBadInput) for any other file, saying what it looks like.
StartingClip load_starting_clip(const std::filesystem::path& path);
StartingClip load_starting_clip(const StoredWeights& stored);

}  // namespace tagclip
