#pragma once

#include <cstdint>
#include <vector>

#ifdef __CUDACC__
#include <cuda_runtime_api.h>

#include <string>

#include "base/error.h"

#define TAGCLIP_HOST_DEVICE __host__ __device__
#else
#define TAGCLIP_HOST_DEVICE
#endif

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace tagclip {

// A GPU kernel is written once, as a function of a `Block`: GpuBlock runs it on the GPU,
// EmulatedBlock runs it on the CPU in tests. It consists of phases, block.for_each_thread(f) with f
// a function of the thread's index. All threads finish a phase before any begins the next one, so
// what one thread writes to shared memory, others may read in later phases only.

// A block of GPU threads.
class GpuBlock {
 public:
  // One T per thread that outlives a phase; kept in registers.
  template <typename T>
  class PerThread {
   public:
    TAGCLIP_HOST_DEVICE explicit PerThread(const GpuBlock& /*block*/) {}
    TAGCLIP_HOST_DEVICE T& operator[](int /*thread*/) { return own_; }

   private:
    T own_{};
  };

  template <typename Phase>
  TAGCLIP_HOST_DEVICE void for_each_thread(const Phase& phase) const {
#ifdef __CUDA_ARCH__
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
#endif
  }
};

// The same block on the CPU, its threads one after the other. A kernel with a race gives different
// results in the two orders.
class EmulatedBlock {
 public:
  enum class Order : uint8_t { kAscending, kDescending };

  EmulatedBlock(int threads, Order order) : threads_(threads), order_(order) {}

  template <typename T>
  class PerThread {
   public:
    explicit PerThread(const EmulatedBlock& block) : all_(block.threads_) {}
    T& operator[](int thread) { return all_[thread]; }

   private:
    std::vector<T> all_;
  };

  template <typename Phase>
  void for_each_thread(const Phase& phase) const {
    for (int i = 0; i < threads_; ++i) {
      phase(order_ == Order::kAscending ? i : threads_ - 1 - i);
    }
  }

 private:
  int threads_;
  Order order_;
};

// Adds atomically. Integers only: their sum does not depend on the order of the threads.
TAGCLIP_HOST_DEVICE inline void atomic_add(int* sum, int value) {
#ifdef __CUDA_ARCH__
  atomicAdd(sum, value);
#else
  *sum += value;
#endif
}

#ifdef __CUDACC__

// Throws InternalError when the launch of `kernel` failed.
inline void check_launch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  TAGCLIP_CHECK(error == cudaSuccess, std::string(kernel) + ": " + cudaGetErrorString(error));
}

// The number of blocks of `threads` that run one thread per item.
inline unsigned blocks_for(int64_t items, int threads) {
  return static_cast<unsigned>((items + threads - 1) / threads);
}

#endif

}  // namespace tagclip
