#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <memory>

#include "ranks/rank_environment.h"

namespace tagclip {

// The processes that work on one job, and what they tell each other. All of them must make the same
// calls in the same order.
class Ranks {
 public:
  // A process on its own: every sum is what it was.
  Ranks() = default;
  // Meets the others: over Gloo, and for CUDA tensors over NCCL where the build has it. Whoever
  // waits longer than `timeout` for another rank gives up. Throws Error(kFailure) when they do not
  // come together.
  Ranks(const RankEnvironment& environment, std::chrono::seconds timeout);

  int64_t rank() const { return environment_.rank; }
  int64_t size() const { return environment_.size; }
  bool first() const { return rank() == 0; }  // the one that writes
  bool alone() const { return size() == 1; }

  // The GPU that is this rank's own, where `device` is one and there are several ranks: by its
  // place on the machine, of those it may see.
  at::Device own(at::Device device) const;

  // Adds up a tensor over the ranks, in place; contiguous, of one shape and type everywhere. Throws
  // Error(kFailure) when a rank is lost.
  void sum(at::Tensor& tensor) const;
  double sum(double value) const;
  // Returns when all ranks have come here.
  void wait_for_all() const;

 private:
  class Group;
  RankEnvironment environment_;
  std::shared_ptr<Group> group_;  // none when alone
};

}  // namespace tagclip
