#pragma once

#include "verify/golden_trace.h"

namespace tagclip {

// infer.SETTING.MODE, SETTING inductive or transductive, MODE plain, seen, unseen or both: the
// scores of all classes at the size of in.image, [B, C, H, W]. MODE logits: those of plain, every
// `stride`th row and column. Only names that `expected` holds.
NamedTensors trace_scores(const SegmentationModel& model, const GoldenInputs& inputs,
                          const StateDict& expected, int64_t stride);

}  // namespace tagclip
