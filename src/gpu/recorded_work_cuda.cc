#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "gpu/recorded_work.h"

namespace tagclip {
namespace {

constexpr int kWarmUps = 2;  // libraries set themselves up, which cannot be recorded

// Makes `then` wait for what `first` was given so far.
void order(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& then) {
  c10::Event event(c10::kCUDA);
  event.record(first);
  event.block(then);
}

}  // namespace

struct RecordedWork::Recording {
  Recording(at::Device device, const std::vector<at::Generator>& drawn_from)
      : stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())),
        generators(drawn_from) {}

  // Not on the usual stream: that one cannot be recorded.
  void warm_up(const std::function<void()>& work) {
    const c10::cuda::CUDAStream usual = c10::cuda::getCurrentCUDAStream(stream.device_index());
    order(usual, stream);
    {
      const c10::cuda::CUDAStreamGuard guard(stream);
      work();
    }
    order(stream, usual);
    ++warm_ups;
  }

  void record(const std::function<void()>& work) {
    c10::cuda::device_synchronize();
    // The recording has memory of its own: what the warm-up has freed would only lie beside it.
    c10::cuda::CUDACachingAllocator::emptyCache();
    for (const at::Generator& generator : generators) graph.register_generator_state(generator);
    const c10::cuda::CUDAStreamGuard guard(stream);
    // The loader's threads go on meanwhile.
    graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      abandon();
      throw;
    }
    graph.capture_end();
    recorded = true;
  }

  // Leaves the stream as it was; what went wrong is known already.
  void abandon() {
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
  bool recorded = false;
};

RecordedWork::RecordedWork() = default;
RecordedWork::RecordedWork(at::Device device, const std::vector<at::Generator>& generators) {
  if (device.is_cuda()) recording_ = std::make_unique<Recording>(device, generators);
}
RecordedWork::RecordedWork(RecordedWork&&) noexcept = default;
RecordedWork& RecordedWork::operator=(RecordedWork&&) noexcept = default;
RecordedWork::~RecordedWork() = default;

void RecordedWork::operator()(const std::function<void()>& work) {
  if (!recording_) return work();
  if (recording_->warm_ups < kWarmUps) return recording_->warm_up(work);
  if (!recording_->recorded) recording_->record(work);
  recording_->graph.replay();
}

bool RecordedWork::recorded() const { return recording_ && recording_->recorded; }

}  // namespace tagclip
