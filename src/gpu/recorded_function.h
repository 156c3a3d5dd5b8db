#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "gpu/recorded_work.h"

namespace tagclip {

// A function of tensors that is recorded once for each set of shapes it meets: see RecordedWork.
// For inference only. Safe to use from several threads, one after the other.
class RecordedFunction {
 public:
  using Tensors = std::vector<at::Tensor>;
  using Function = std::function<Tensors(const Tensors&)>;

  // More shapes than this are computed without being recorded: each recording keeps memory.
  static constexpr size_t kMostRecordings = 16;

  explicit RecordedFunction(at::Device device) : device_(device) {}

  // function(inputs), always the same one. `shape`: what else the recording depends on.
  Tensors operator()(const Tensors& inputs, const std::vector<int64_t>& shape,
                     const Function& function);

 private:
  struct Recording {
    RecordedWork work;
    Tensors inputs, outputs;  // the memory that it reads and writes
  };

  at::Device device_;
  std::mutex mutex_;
  std::map<std::vector<int64_t>, Recording> recordings_;
};

}  // namespace tagclip
