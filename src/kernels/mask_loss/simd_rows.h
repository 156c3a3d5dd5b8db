#pragma once

#include <cstdint>

#include "kernels/blend/simd_rows.h"

namespace tagclip {

// The inner loops of `mask_sums`, each over one row of pixels. Ranges do not overlap.

// Where the gradients of the two rows of logits are collected: each gets its share of a pixel's.
struct RowGradient {
  float* upper;
  float* lower;
};

// What the pixels are: of the target, not counted, or background.
struct RowLabels {
  const int32_t* labels;
  int32_t target;
  int32_t uncounted;
};

// Focal loss of a row where everything is background: its sum, its gradient.
float add_background(PixelRow row, RowGradient focal);

struct RowSums {
  float focal, intersection, prediction;
};

// All sums of a row and their gradients.
RowSums add_target(PixelRow row, RowLabels labels, RowGradient focal, RowGradient intersection,
                   RowGradient prediction);

// The transpose of resize_row: adds to `sum` what each output passes back to its inputs.
void add_resized_back(const float* out, Columns columns, float* sum);

}  // namespace tagclip
