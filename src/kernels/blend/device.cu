#include "kernels/blend/device.h"

namespace tagclip {
namespace {

__global__ void __launch_bounds__(kBlendThreads)
    blend_tile_kernel(const __grid_constant__ BlendParams params) {
  __shared__ BlendShared shared;
  blend_tile(GpuBlock(), params, static_cast<int>(blockIdx.x), shared);
}

}  // namespace

void launch_blend(const BlendParams& params, cudaStream_t stream) {
  const auto tiles = static_cast<unsigned>(params.tiles_down() * params.tiles_across());
  blend_tile_kernel<<<tiles, kBlendThreads, 0, stream>>>(params);
  check_launch("blend_tile");
}

}  // namespace tagclip
