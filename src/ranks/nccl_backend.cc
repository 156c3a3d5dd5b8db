#include "ranks/nccl_backend.h"

#ifdef TAGCLIP_NCCL  // the headers were found, see CMakeLists.txt

#include <ATen/Context.h>

#include <cstdlib>

#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace tagclip {

c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment,
                                            std::chrono::seconds timeout) {
  if (at::getNumGPUs() == 0) return {};
  // wait() then returns when the sum is there, and throws what went wrong; a thread of c10d's own
  // would otherwise abort the program.
  ::setenv("TORCH_NCCL_BLOCKING_WAIT", "1", /*overwrite=*/1);
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, static_cast<int>(environment.rank),
                                                     static_cast<int>(environment.size), options);
}

}  // namespace tagclip

#else

namespace tagclip {

c10::intrusive_ptr<c10d::Backend> open_nccl(const c10::intrusive_ptr<c10d::Store>&,
                                            const RankEnvironment&, std::chrono::seconds) {
  return {};
}

}  // namespace tagclip

#endif
