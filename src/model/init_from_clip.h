#pragma once

#include <filesystem>

#include "clip/clip_file.h"
#include "model/segmentation_model.h"

namespace tagclip {

// Copies both towers of a CLIP into a model that is to be tuned: visual.* to backbone.*, the text
// tower to text_encoder.*. The position grid is resized bilinearly to the model's resolution (spec
// section 2.2). Other parameters keep their values. The model must have the CLIP's sizes and a text
// tower.
void initialise_from_clip(SegmentationModel& model, const Clip& clip);

struct StartingClip {
  Clip clip;
  std::string assumption;         // see ClipWeights; also which of several models was read
  bool knows_temperature = true;  // otherwise it is 100, the limit of CLIP's training
};

// Reads a CLIP in any dialect, or out of a segmentation model with a text tower: training leaves
// the towers as they were. Throws Error(kBadInput) for any other file, saying what it looks like.
StartingClip load_starting_clip(const std::filesystem::path& path);
StartingClip load_starting_clip(const StoredWeights& stored);

}  // namespace tagclip
