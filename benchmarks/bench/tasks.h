#pragma once

#include "bench/measurement.h"
#include "bench/workload.h"

namespace tagclip::bench {

// Each runs both ways once to warm up, which is also what memory is measured on and results are
// compared in, then by turns `pairs` times.

// A decoded photo of one window -> label map.
Measurement measure_segment(const Workload& workload, int64_t pairs, const PairProgress& progress);

// Forward pass, losses, gradients and update on a batch of `photos`, all classes known.
Measurement measure_train_step(const Workload& workload, int64_t photos, int64_t pairs,
                               const PairProgress& progress);

// The two kernels beside LibTorch's operations, from random logits on. Peaks are what the process
// holds beyond what it held before.

// Logits of one window -> labels and scores of its pixels.
Measurement measure_blend(const Workload& workload, int64_t pairs, const PairProgress& progress);

// The losses of `photos` with their gradients, to random labels of the classes that are seen.
Measurement measure_mask_loss(const Workload& workload, int64_t photos, int64_t pairs,
                              const PairProgress& progress);

}  // namespace tagclip::bench
