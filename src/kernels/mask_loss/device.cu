#include "kernels/common/gpu_launch.h"
#include "kernels/mask_loss/device.h"

namespace tagclip {
namespace {

constexpr int kThreads = 256;

__device__ int64_t thread_index() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }

template <typename Label>
__global__ void count_targets_kernel(const __grid_constant__ MaskTask<Label> task) {
  if (thread_index() < task.photos * task.runs()) count_targets(task, thread_index());
}

template <typename Label>
__global__ void __launch_bounds__(kMaskThreads, 3)
    sum_tile_kernel(const __grid_constant__ MaskTask<Label> task) {
  __shared__ MaskTile shared;
  sum_tile(GpuBlock(), task, blockIdx.x, shared);
}

template <typename Label>
__global__ void add_tiles_kernel(const __grid_constant__ MaskTask<Label> task) {
  if (thread_index() < task.maps() * task.map_size()) add_tiles(task, thread_index());
}

template <typename Label>
void run(const MaskTask<Label>& task, cudaStream_t stream) {
  if (task.maps() == 0) return;
  if (task.pixels() > 0) {
    const unsigned blocks = blocks_for(task.photos * task.runs(), kThreads);
    count_targets_kernel<<<blocks, kThreads, 0, stream>>>(task);
    check_launch("count_targets");
  }
  const auto tiles = static_cast<unsigned>(task.maps() * task.tiles());
  sum_tile_kernel<<<tiles, kMaskThreads, 0, stream>>>(task);
  check_launch("sum_tile");
  add_tiles_kernel<<<blocks_for(task.maps() * task.map_size(), kThreads), kThreads, 0, stream>>>(
      task);
  check_launch("add_tiles");
}

}  // namespace

void run_on_gpu(const MaskTask<int64_t>& task, cudaStream_t stream) { run(task, stream); }
void run_on_gpu(const MaskTask<int8_t>& task, cudaStream_t stream) { run(task, stream); }

}  // namespace tagclip
