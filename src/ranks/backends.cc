#include "ranks/backends.h"

#include <ATen/Context.h>
#include <torch/version.h>

#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

// LibTorch's wheel has Gloo's code but not its headers. gloo/ declares the names that c10d's header
// mentions; it was compared with the Gloo of this LibTorch version alone.
static_assert(
    TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR == 13,
    "src/ranks/gloo stands in for the Gloo headers of LibTorch 2.13. For another version, "
    "follow src/ranks/gloo/README.md, then name the version here.");
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#ifdef TAGCLIP_NCCL  // the headers were found, see CMakeLists.txt
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace tagclip {
namespace {

c10::intrusive_ptr<c10d::Store> prefixed(const std::string& prefix,
                                         const c10::intrusive_ptr<c10d::Store>& store) {
  return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
}

}  // namespace

c10::intrusive_ptr<c10d::Store> open_store(const RankEnvironment& environment,
                                           std::chrono::seconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = environment.port;
  options.isServer = environment.rank == 0 && !environment.store_is_served;
  options.waitWorkers = false;
  options.timeout = timeout;
  return prefixed("tagclip/" + environment.attempt,
                  c10::make_intrusive<c10d::TCPStore>(environment.address, options));
}

c10::intrusive_ptr<c10d::Backend> open_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout) {
  return c10::make_intrusive<c10d::ProcessGroupGloo>(
      prefixed("gloo", store), static_cast<int>(environment.rank),
      static_cast<int>(environment.size), c10d::ProcessGroupGloo::Options::create_default(timeout));
}

#ifdef TAGCLIP_NCCL

c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout) {
  if (at::getNumGPUs() == 0) return {};
  // wait() then blocks until the sum is there, and throws what went wrong; without this, a watchdog
  // thread of c10d aborts the program.
  ::setenv("TORCH_NCCL_BLOCKING_WAIT", "1", /*overwrite=*/1);
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixed("nccl", store),
                                                     static_cast<int>(environment.rank),
                                                     static_cast<int>(environment.size), options);
}

#else

c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>&,
                                            const RankEnvironment&, std::chrono::seconds) {
  return {};
}

#endif

}  // namespace tagclip
