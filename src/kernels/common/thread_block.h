#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/host_device.h"

namespace tagclip {

// The programs of a block of GPU threads are written once, over one of the two classes below: as
// phases, each a function of the thread's number. No thread begins a phase before all have ended
// the one before; what a thread writes, others may read in a later phase.

// A block on the GPU: each thread runs its own part.
class GpuBlock {
 public:
  // What a thread keeps from phase to phase, in its registers.
  template <typename T>
  class OfEachThread {
   public:
    TAGCLIP_HOST_DEVICE explicit OfEachThread(const GpuBlock& /*block*/) {}
    TAGCLIP_HOST_DEVICE T& operator[](int /*thread*/) { return own_; }

   private:
    T own_{};
  };

  template <typename Phase>
  TAGCLIP_HOST_DEVICE void each_thread(const Phase& phase) const {
#ifdef __CUDA_ARCH__
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
#endif
  }
};

// The same block on the processor, for tests: one thread after the other, phase by phase. Where a
// phase's threads read what others of it write, results depend on their order.
class EmulatedBlock {
 public:
  enum class Order : uint8_t { kUp, kDown };

  EmulatedBlock(int threads, Order order) : threads_(threads), order_(order) {}

  template <typename T>
  class OfEachThread {
   public:
    explicit OfEachThread(const EmulatedBlock& block) : all_(block.threads_) {}
    T& operator[](int thread) { return all_[thread]; }

   private:
    std::vector<T> all_;
  };

  template <typename Phase>
  void each_thread(const Phase& phase) const {
    for (int i = 0; i < threads_; ++i) phase(order_ == Order::kUp ? i : threads_ - 1 - i);
  }

 private:
  int threads_;
  Order order_;
};

// Adds to a number that other threads of the phase add to. Of whole numbers the sum does not depend
// on the order.
TAGCLIP_HOST_DEVICE inline void add_shared(int* sum, int value) {
#ifdef __CUDA_ARCH__
  atomicAdd(sum, value);
#else
  *sum += value;
#endif
}

}  // namespace tagclip
