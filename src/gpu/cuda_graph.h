#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace tagclip {

// A CUDA graph of work whose tensors keep their shapes and addresses from call to call. Replaying
// it launches all kernels at once, which saves the host's time per kernel. On the CPU, and in a
// build without CUDA, every call runs the work directly.
class CudaGraph {
 public:
  // Constructs one that never captures.
  CudaGraph();
  // Captures where `device` is a GPU. `generators`: every generator that the work draws from.
  explicit CudaGraph(at::Device device, const std::vector<at::Generator>& generators = {});
  CudaGraph(CudaGraph&&) noexcept;
  CudaGraph& operator=(CudaGraph&&) noexcept;
  ~CudaGraph();

  // The first two calls run `work` to warm up, the third captures it, later calls replay the graph
  // and do not call `work`. `work` must therefore read and write the same memory each time, must
  // not wait for the device and must not depend on values of the host. Tensors that it allocates
  // are overwritten by the next call. Generators are seeded before the call, never by `work`.
  void operator()(const std::function<void()>& work);

  bool captured() const;  // whether the next call replays

 private:
  struct Capture;
  std::unique_ptr<Capture> capture_;  // none: never captures
};

// A function of tensors with one CudaGraph per set of input shapes. For inference only: no
// gradients are recorded. Safe to use from several threads; calls run one after the other.
class CudaGraphCache {
 public:
  using Tensors = std::vector<at::Tensor>;
  using Function = std::function<Tensors(const Tensors&)>;

  // Further sets of shapes are computed without a graph, because each graph keeps memory.
  static constexpr size_t kMaxGraphs = 16;

  explicit CudaGraphCache(at::Device device) : device_(device) {}

  // function(inputs), copied. Every call passes the same function. `key`: values other than the
  // inputs' shapes that the graph depends on.
  Tensors operator()(const Tensors& inputs, const std::vector<int64_t>& key,
                     const Function& function);

 private:
  struct Entry {
    CudaGraph graph;
    Tensors inputs, outputs;  // the memory that the graph reads and writes
  };

  at::Device device_;
  std::mutex mutex_;
  std::map<std::vector<int64_t>, Entry> entries_;
};

}  // namespace tagclip
