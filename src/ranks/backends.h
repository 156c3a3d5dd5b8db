#pragma once

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "ranks/rank_environment.h"

namespace tagclip {

// The key-value store through which the ranks of one start find each other: rank 0 serves it, or
// torchrun's agent does. Throws c10d's exceptions after `timeout`.
c10::intrusive_ptr<c10d::Store> open_store(const RankEnvironment& environment,
                                           std::chrono::seconds timeout);

// Opens collectives on CPU tensors. Throws c10d's exceptions if the ranks do not connect in time.
c10::intrusive_ptr<c10d::Backend> open_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout);

// Opens collectives on CUDA tensors without a copy to the host. Returns nullptr where this build
// has no NCCL or the machine no GPU.
c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout);

}  // namespace tagclip
