#pragma once

#include "model/segmentation_model.h"

namespace tagclip {

// Copies both towers of a CLIP into a model that is to be tuned: visual.* to backbone.*, the text tower to
// text_encoder.*. The position grid is resized bilinearly to the model's resolution (spec section 2.2).
// Everything else keeps its values. The model must have the CLIP's sizes and a text tower.
void start_from_clip(SegmentationModel& model, const Clip& clip);

}  // namespace tagclip
