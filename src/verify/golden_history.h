#pragma once

#include "verify/golden_trace.h"

namespace tagclip {

// train.loss_history_adamw_lrLR_wdWD [steps], for every such name in `expected`: train.loss before
// each of that many steps of plain AdamW with learning rate LR and weight decay WD on the one
// batch. The model's weights are restored afterwards. Throws Error(kBadInput) when the name holds
// no numbers or the history is longer than 1000 steps.
NamedTensors trace_histories(SegmentationModel& model, const GoldenInputs& inputs,
                             const StateDict& expected);

}  // namespace tagclip
