#pragma once

#include "bench/measurement.h"
#include "bench/workload.h"

namespace tagclip::bench {

// Each task runs both ways once to warm up, which is also what memory is measured on and results
// are compared in, then interleaved `pairs` times.

// Measures a decoded photo of one window -> label map.
Measurement measure_segment(const Workload& workload, int64_t pairs, const PairProgress& progress);

// Measures forward pass, losses, gradients and update on a batch of `photos`, all classes known.
Measurement measure_train_step(const Workload& workload, int64_t photos, int64_t pairs,
                               const PairProgress& progress);

// The two kernels are measured beside LibTorch's operations, from random logits on. Peaks are what
// the process holds beyond what it held before.

// Measures logits of one window -> labels and scores of its pixels.
Measurement measure_blend(const Workload& workload, int64_t pairs, const PairProgress& progress);

// Measures the losses of `photos` with their gradients, to random labels of the classes that are
// seen.
Measurement measure_mask_loss(const Workload& workload, int64_t photos, int64_t pairs,
                              const PairProgress& progress);

// Compares a model with and without its trusty token, which adds itself, a row of the queries, and
// the map that weights the scores. The paper says "almost no extra overhead".
struct TokenCost {
  struct Task {
    std::string name;
    AbRuns runs;  // ours: with the token; reference: the same weights without
  };

  std::string workload;
  ParameterCounts with, without;
  std::vector<Task> tasks;  // those that were measured before the user stopped
};

// Hears after each pair of a task how many of `pairs` are done; false ends the measurement.
using TaskProgress = std::function<bool(const std::string& task, int64_t done, int64_t pairs)>;

// Measures, after one run each to warm up: a photo of one window, its decoder and blend alone (on a
// kept encoding, in which the token has no part), and training steps on `photos`, half as many
// pairs, rounded up. The encoder computes in the workload's precision, the step in float32.
TokenCost measure_token_cost(const Workload& workload, int64_t photos, int64_t pairs,
                             const TaskProgress& progress);

}  // namespace tagclip::bench
