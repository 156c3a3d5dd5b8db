#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/console.h"
#include "ranks/rank_environment.h"

namespace tagclip {

// A rank's wait for the others: how long, and whom it tells and asks meanwhile.
struct Patience {
  std::chrono::seconds timeout = std::chrono::minutes(10);
  // Hears for whom the rank waits, after two seconds and then once a minute.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  std::function<bool()> stop_requested = [] { return false; };  // asked ten times a second
};

// The processes that work on one job (torch.distributed's world), and their collective operations.
// All ranks must call the same collectives in the same order. Collectives throw Error(kFailure)
// when a rank is lost.
class World {
 public:
  // Constructs a world of one process, whose collectives change nothing.
  World() = default;
  // Connects to the other ranks over Gloo, and for CUDA tensors over NCCL where the build has it.
  // A rank waits at most for the timeout for another one, here and in each collective. Throws
  // Error(kFailure) when they do not connect, and Error(kStopped).
  World(const RankEnvironment& environment, const Patience& patience);
  // Connects by the environment of this process; the console hears for whom it waits, and may stop
  // that. Throws as read_rank_environment, too.
  static World join(Console& console, std::chrono::seconds timeout = std::chrono::minutes(10));

  int64_t rank() const { return environment_.rank; }
  int64_t size() const { return environment_.size; }
  bool is_root() const { return rank() == 0; }  // the rank that writes files and messages
  bool is_single() const { return size() == 1; }

  // Returns the GPU of this rank, by its local rank among the visible ones. Any other `device`, and
  // that of a single process, is returned as it is.
  at::Device local_device(at::Device device) const;

  // Sums a contiguous tensor of the same shape and type on all ranks, in place.
  void all_reduce_sum(at::Tensor& tensor) const;
  double all_reduce_sum(double value) const;
  // True if `value` is true on any rank.
  bool any(bool value) const { return all_reduce_sum(value ? 1 : 0) > 0; }
  // Returns when all ranks have called it.
  void barrier() const { all_reduce_sum(0.0); }

 private:
  class Group;
  RankEnvironment environment_;
  std::shared_ptr<Group> group_;  // nullptr for a single process
};

}  // namespace tagclip
