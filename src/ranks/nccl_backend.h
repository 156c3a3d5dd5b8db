#pragma once

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "ranks/rank_environment.h"

namespace tagclip {

// Sums CUDA tensors without a way through the host. nullptr where this build has no NCCL or the
// machine no GPU.
c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout);

}  // namespace tagclip
