#include "kernels/mask_loss/device.h"

namespace tagclip {
namespace {

constexpr int kThreads = 256;

__device__ int64_t thread_index() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }

template <typename Label>
__global__ void count_targets_kernel(const __grid_constant__ MaskLossParams<Label> params) {
  if (thread_index() < params.images * params.counting_threads()) {
    count_targets(params, thread_index());
  }
}

template <typename Label>
__global__ void __launch_bounds__(kMaskThreads, 3)
    sum_tile_kernel(const __grid_constant__ MaskLossParams<Label> params) {
  __shared__ MaskLossShared shared;
  sum_tile(GpuBlock(), params, blockIdx.x, shared);
}

template <typename Label>
__global__ void reduce_tiles_kernel(const __grid_constant__ MaskLossParams<Label> params) {
  if (thread_index() < params.maps() * params.map_size()) reduce_tiles(params, thread_index());
}

template <typename Label>
void launch(const MaskLossParams<Label>& params, cudaStream_t stream) {
  if (params.maps() == 0) return;
  if (params.pixels() > 0) {
    const unsigned blocks = blocks_for(params.images * params.counting_threads(), kThreads);
    count_targets_kernel<<<blocks, kThreads, 0, stream>>>(params);
    check_launch("count_targets");
  }
  const auto tiles = static_cast<unsigned>(params.maps() * params.tiles());
  sum_tile_kernel<<<tiles, kMaskThreads, 0, stream>>>(params);
  check_launch("sum_tile");
  const unsigned blocks = blocks_for(params.maps() * params.map_size(), kThreads);
  reduce_tiles_kernel<<<blocks, kThreads, 0, stream>>>(params);
  check_launch("reduce_tiles");
}

}  // namespace

void launch_mask_loss(const MaskLossParams<int64_t>& params, cudaStream_t stream) {
  launch(params, stream);
}
void launch_mask_loss(const MaskLossParams<int8_t>& params, cudaStream_t stream) {
  launch(params, stream);
}

}  // namespace tagclip
