#pragma once

#include "label_formats/label_source.h"

namespace tagclip {

// Each is in the file of its name; label_source.cc has the table.
LabelFormat labelme_format();
LabelFormat coco_format();
LabelFormat cvat_masks_format();
LabelFormat roboflow_masks_format();
LabelFormat cityscapes_format();
LabelFormat yolo_format();
LabelFormat colour_masks_format();

}  // namespace tagclip
