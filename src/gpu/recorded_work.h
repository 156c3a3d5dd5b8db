#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <vector>

namespace tagclip {

// Work that is the same every time but for what stands in its tensors. On a GPU it is recorded as a
// CUDA graph and launched as one, which spares the host's part. On the CPU, and in a build without
// CUDA, it is just done.
class RecordedWork {
 public:
  // Never recorded.
  RecordedWork();
  // Recorded where `device` is a GPU. `generators`: all that the work draws from.
  explicit RecordedWork(at::Device device, const std::vector<at::Generator>& generators = {});
  RecordedWork(RecordedWork&&) noexcept;
  RecordedWork& operator=(RecordedWork&&) noexcept;
  ~RecordedWork();

  // The first calls run `work`, the next one records it, those after launch what was recorded and
  // leave `work` alone. So it must, whenever it runs, read and write the same memory, not wait for
  // the device, and not be told anything by the host; what it leaves behind in tensors that it
  // makes itself is overwritten by the next call. Generators are seeded before the call, never by
  // `work`.
  void operator()(const std::function<void()>& work);

  bool recorded() const;  // whether the next call launches a recording

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;  // none: never recorded
};

}  // namespace tagclip
