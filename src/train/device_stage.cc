#include "train/device_stage.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace tagclip {

DeviceStage::DeviceStage(SampleLoader& loader, int64_t batches, at::Device device)
    : loader_(loader), left_(batches), device_(device) {
  if (device.is_cpu()) return;
  copies_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

DeviceStage::Copy DeviceStage::begin_copy() {
  --left_;
  LabelledBatch host = loader_.next();
  const c10::StreamGuard guard(*copies_);
  LabelledBatch copy{host.iteration, host.photos, host.pixels.to(device_, /*non_blocking=*/true),
                     host.labels.to(device_, /*non_blocking=*/true)};
  c10::Event made(device_.type());
  made.record(*copies_);
  return {std::move(copy), std::move(host), std::move(made)};
}

LabelledBatch DeviceStage::next() {
  if (!copies_) return loader_.next();
  if (!ahead_) ahead_.emplace(begin_copy());
  current_.emplace(std::move(*ahead_));
  ahead_.reset();
  if (left_ > 0) ahead_.emplace(begin_copy());
  const c10::Stream work = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  current_->made.block(work);
  // The allocator must not give their memory away while `work` reads them.
  current_->on_device.pixels.record_stream(work);
  current_->on_device.labels.record_stream(work);
  return current_->on_device;
}

}  // namespace tagclip
