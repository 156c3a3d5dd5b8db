#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

#include "base/error.h"

namespace tagclip {

inline void check_launch(const char* kernel) {
  const cudaError_t problem = cudaGetLastError();
  TAGCLIP_CHECK(problem == cudaSuccess, std::string(kernel) + ": " + cudaGetErrorString(problem));
}

// Blocks of `threads` for one thread each of `count` things.
inline unsigned blocks_for(int64_t count, int threads) {
  return static_cast<unsigned>((count + threads - 1) / threads);
}

}  // namespace tagclip
