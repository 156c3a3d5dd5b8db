#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "gpu/cuda_graph.h"

namespace tagclip {
namespace {

// Libraries such as cuBLAS allocate workspaces in their first calls, which cannot be captured.
constexpr int kWarmUps = 2;

// Makes `waiting` wait for all work that `first` has been given.
void synchronize(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& waiting) {
  c10::Event event(c10::kCUDA);
  event.record(first);
  event.block(waiting);
}

}  // namespace

struct CudaGraph::Capture {
  Capture(at::Device device, const std::vector<at::Generator>& drawn_from)
      : stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())),
        generators(drawn_from) {}

  // Runs on a stream from the pool: the default stream cannot be captured.
  void warm_up(const std::function<void()>& work) {
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream(stream.device_index());
    synchronize(current, stream);
    {
      const c10::cuda::CUDAStreamGuard guard(stream);
      work();
    }
    synchronize(stream, current);
    ++warm_ups;
  }

  void capture(const std::function<void()>& work) {
    c10::cuda::device_synchronize();
    // The graph allocates from a memory pool of its own; blocks that the warm-up has freed would
    // stay unused.
    c10::cuda::CUDACachingAllocator::emptyCache();
    for (const at::Generator& generator : generators) graph.register_generator_state(generator);
    const c10::cuda::CUDAStreamGuard guard(stream);
    // ThreadLocal: the loader's threads may use CUDA during the capture.
    graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      abort_capture();
      throw;
    }
    graph.capture_end();
    captured = true;
  }

  // Ends the capture after an error, which is thrown on; errors of the capture itself are dropped.
  void abort_capture() {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {
      graph.reset();
    }
  }

  at::cuda::CUDAGraph graph;
  c10::cuda::CUDAStream stream;
  std::vector<at::Generator> generators;
  int warm_ups = 0;
  bool captured = false;
};

CudaGraph::CudaGraph() = default;
CudaGraph::CudaGraph(at::Device device, const std::vector<at::Generator>& generators) {
  if (device.is_cuda()) capture_ = std::make_unique<Capture>(device, generators);
}
CudaGraph::CudaGraph(CudaGraph&&) noexcept = default;
CudaGraph& CudaGraph::operator=(CudaGraph&&) noexcept = default;
CudaGraph::~CudaGraph() = default;

void CudaGraph::operator()(const std::function<void()>& work) {
  if (!capture_) return work();
  if (capture_->warm_ups < kWarmUps) return capture_->warm_up(work);
  if (!capture_->captured) capture_->capture(work);
  capture_->graph.replay();
}

bool CudaGraph::captured() const { return capture_ && capture_->captured; }

}  // namespace tagclip
