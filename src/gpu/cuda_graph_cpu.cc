#include "gpu/cuda_graph.h"

namespace tagclip {

struct CudaGraph::Capture {};

CudaGraph::CudaGraph() = default;
CudaGraph::CudaGraph(at::Device /*device*/, const std::vector<at::Generator>& /*generators*/) {}
CudaGraph::CudaGraph(CudaGraph&&) noexcept = default;
CudaGraph& CudaGraph::operator=(CudaGraph&&) noexcept = default;
CudaGraph::~CudaGraph() = default;

void CudaGraph::operator()(const std::function<void()>& work) { work(); }

bool CudaGraph::captured() const { return false; }

}  // namespace tagclip
