#include "ranks/ranks.h"

#include <ATen/Context.h>
#include <c10/util/StringUtil.h>

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/error.h"
#include "ranks/nccl_backend.h"

namespace tagclip {
namespace {

c10::intrusive_ptr<c10d::Store> open_store(const RankEnvironment& environment,
                                           std::chrono::seconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = environment.port;
  options.isServer = environment.rank == 0 && !environment.store_is_served;
  options.waitWorkers = false;
  options.timeout = timeout;
  const auto store = c10::make_intrusive<c10d::TCPStore>(environment.address, options);
  return c10::make_intrusive<c10d::PrefixStore>("tagclip/" + environment.attempt, store);
}

// The first line, without LibTorch's stack of calls.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

class Ranks::Group {
 public:
  Group(const RankEnvironment& environment, std::chrono::seconds timeout)
      : store_(open_store(environment, timeout)),
        gloo_(c10::make_intrusive<c10d::ProcessGroupGloo>(
            prefixed("gloo"), static_cast<int>(environment.rank),
            static_cast<int>(environment.size),
            c10d::ProcessGroupGloo::Options::create_default(timeout))),
        nccl_(open_nccl(prefixed("nccl"), environment, timeout)) {}

  void sum(at::Tensor& tensor) {
    if (!tensor.is_cuda()) return sum(*gloo_, tensor);
    if (nccl_) return sum(*nccl_, tensor);
    at::Tensor host = tensor.cpu();
    sum(*gloo_, host);
    tensor.copy_(host);
  }

 private:
  c10::intrusive_ptr<c10d::Store> prefixed(const char* name) const {
    return c10::make_intrusive<c10d::PrefixStore>(name, store_);
  }

  static void sum(c10d::Backend& backend, at::Tensor& tensor) {
    std::vector<at::Tensor> tensors = {tensor};
    backend.allreduce(tensors)->wait();
  }

  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::Backend> gloo_, nccl_;
};

Ranks::Ranks(const RankEnvironment& environment, std::chrono::seconds timeout)
    : environment_(environment) {
  if (alone()) return;
  try {
    group_ = std::make_shared<Group>(environment, timeout);
  } catch (const std::exception& error) {
    throw failure(c10::str("rank ", rank(), " of ", size(), " could not meet the others at ",
                           environment.address, ":", environment.port, ": ", first_line(error)),
                  "were all ranks started, and is the port free and reachable?");
  }
}

at::Device Ranks::own(at::Device device) const {
  if (!device.is_cuda() || alone()) return device;
  const int64_t gpus = at::getNumGPUs();
  TAGCLIP_CHECK(gpus > 0, "there is a CUDA device, so it must be among those counted");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(environment_.local_rank % gpus)};
}

void Ranks::sum(at::Tensor& tensor) const {
  if (alone()) return;
  TAGCLIP_CHECK(tensor.is_contiguous(), "only contiguous tensors are added up");
  try {
    group_->sum(tensor);
  } catch (const std::exception& error) {
    throw failure(
        c10::str("rank ", rank(), " of ", size(), " has lost another one: ", first_line(error)),
        "the other rank's messages say why; the same command goes on from the last saved "
        "state");
  }
}

double Ranks::sum(double value) const {
  at::Tensor tensor = at::full({1}, value, at::kDouble);
  sum(tensor);
  return tensor.item<double>();
}

void Ranks::wait_for_all() const { sum(0); }

}  // namespace tagclip
