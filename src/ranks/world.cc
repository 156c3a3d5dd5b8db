#include "ranks/world.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include "base/error.h"
#include "ranks/backends.h"
#include "ranks/rendezvous.h"

namespace tagclip {
namespace {

// LibTorch's exceptions carry a stack trace after the first line.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

class World::Group {
 public:
  Group(const RankEnvironment& environment, const Patience& patience)
      : store_(open(environment, patience)),
        gloo_(open_gloo(store_, environment, patience.timeout)),
        nccl_(open_nccl(store_, environment, patience.timeout)) {}

  void all_reduce_sum(at::Tensor& tensor) {
    if (!tensor.is_cuda()) return all_reduce_sum(*gloo_, tensor);
    if (nccl_) return all_reduce_sum(*nccl_, tensor);
    at::Tensor host = tensor.cpu();
    all_reduce_sum(*gloo_, host);
    tensor.copy_(host);
  }

 private:
  // The store, once all ranks are there: what follows waits for them deaf and silent.
  static c10::intrusive_ptr<c10d::Store> open(const RankEnvironment& environment,
                                              const Patience& patience) {
    wait_for_store(environment, patience);
    c10::intrusive_ptr<c10d::Store> store = open_store(environment, patience.timeout);
    wait_for_ranks(*store, environment, patience);
    return store;
  }

  static void all_reduce_sum(c10d::Backend& backend, at::Tensor& tensor) {
    std::vector<at::Tensor> tensors = {tensor};
    backend.allreduce(tensors)->wait();
  }

  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::Backend> gloo_, nccl_;
};

World::World(const RankEnvironment& environment, const Patience& patience)
    : environment_(environment) {
  if (is_single()) return;
  try {
    group_ = std::make_shared<Group>(environment, patience);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw failure(fmt::format("rank {} of {} could not connect to the others at {}:{}: {}", rank(),
                              size(), environment.address, environment.port, first_line(error)),
                  "were all ranks started, and is the port free and reachable?");
  }
}

World World::join(Console& console, std::chrono::seconds timeout) {
  return {read_rank_environment(),
          {.timeout = timeout,
           .say = [&console](const std::string& words) { console.warn(words); },
           .stop_requested = [&console] { return console.stop_requested(); }}};
}

at::Device World::local_device(at::Device device) const {
  if (!device.is_cuda() || is_single()) return device;
  const int64_t gpus = at::getNumGPUs();
  TAGCLIP_CHECK(gpus > 0, "a CUDA device was chosen, but none is visible");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(environment_.local_rank % gpus)};
}

void World::all_reduce_sum(at::Tensor& tensor) const {
  if (is_single()) return;
  TAGCLIP_CHECK(tensor.is_contiguous(), "all_reduce_sum needs a contiguous tensor");
  try {
    group_->all_reduce_sum(tensor);
  } catch (const std::exception& error) {
    throw failure(
        fmt::format("rank {} of {} has lost another rank: {}", rank(), size(), first_line(error)),
        "the other rank's messages say why; the same command resumes from the last saved state");
  }
}

double World::all_reduce_sum(double value) const {
  at::Tensor tensor = at::full({1}, value, at::kDouble);
  all_reduce_sum(tensor);
  return tensor.item<double>();
}

}  // namespace tagclip
