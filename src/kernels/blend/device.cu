#include "kernels/blend/device.h"
#include "kernels/common/gpu_launch.h"

namespace tagclip {
namespace {

__global__ void __launch_bounds__(kBlendThreads)
    blend_tile_kernel(const __grid_constant__ BlendTask task) {
  __shared__ BlendTile shared;
  blend_tile(GpuBlock(), task, static_cast<int>(blockIdx.x), shared);
}

}  // namespace

void run_on_gpu(const BlendTask& task, cudaStream_t stream) {
  const auto tiles = static_cast<unsigned>(task.tiles_down() * task.tiles_across());
  blend_tile_kernel<<<tiles, kBlendThreads, 0, stream>>>(task);
  check_launch("blend_tile");
}

}  // namespace tagclip
