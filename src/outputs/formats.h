#pragma once

#include "outputs/output_format.h"

namespace tagclip {

// Each is in the file of its name, the pictures in pictures.cc; output_format.cc has the table.
OutputFormat labels_output();
OutputFormat overlay_output();
OutputFormat side_by_side_output();
OutputFormat masks_output();
OutputFormat cutouts_output();
OutputFormat probabilities_output();
OutputFormat probabilities_png_output();
OutputFormat coco_output();
OutputFormat coco_rle_output();
OutputFormat labelme_output();
OutputFormat labelme_masks_output();
OutputFormat yolo_output();
OutputFormat cvat_masks_output();
OutputFormat label_studio_output();
OutputFormat geojson_output();
OutputFormat fiftyone_output();

}  // namespace tagclip
