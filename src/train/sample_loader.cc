#include "train/sample_loader.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tagclip {
namespace {

// True if no other tensor shares this storage.
bool is_unshared(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace

SampleLoader::SampleLoader(const TrainingSamples& samples, LoaderOptions options)
    : samples_(samples), options_(options), next_(options.first) {
  TAGCLIP_CHECK(samples.batch() % options.share.parts == 0, "the batch cannot be shared evenly");
  for (int64_t i = 0; i < options.workers; ++i) threads_.emplace_back([this] { work(); });
}

SampleLoader::~SampleLoader() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_left_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// Batches reuse memory: mapping fresh pages would take as long as decoding the images.
LabelledBatch SampleLoader::empty_batch(int64_t iteration) {
  const std::vector<int64_t> images = samples_.images(iteration);
  const auto begin = images.begin() + options_.share.part * rows();
  const size_t set = samples_.set_of(iteration);
  const auto unused = std::ranges::find_if(buffer_pool_, [](const LabelledBatch& batch) {
    return is_unshared(batch.pixels) && is_unshared(batch.labels);
  });
  if (unused != buffer_pool_.end())
    return {iteration, set, {begin, begin + rows()}, unused->pixels, unused->labels};
  const int64_t side = samples_.side();
  const auto options = at::TensorOptions().pinned_memory(options_.pinned);
  buffer_pool_.push_back({iteration,
                          set,
                          {begin, begin + rows()},
                          at::empty({rows(), 3, side, side}, options.dtype(at::kFloat)),
                          at::empty({rows(), side, side}, options.dtype(at::kInt))});
  return buffer_pool_.back();
}

void SampleLoader::read(const LabelledBatch& batch, int64_t row) const {
  const int64_t slot = options_.share.part * rows() + row;
  samples_.read(batch.iteration, slot, batch.images[row],
                batch.pixels[row].mutable_data_ptr<float>(),
                batch.labels[row].mutable_data_ptr<int32_t>());
}

LabelledBatch SampleLoader::next() {
  TAGCLIP_CHECK(next_ < options_.last, "all batches have been taken");
  if (threads_.empty()) {
    const LabelledBatch batch = empty_batch(next_++);  // no other thread is there
    for (int64_t row = 0; row < rows(); ++row) read(batch, row);
    return batch;
  }
  std::unique_lock lock(mutex_);
  batch_done_.wait(lock, [&] { return !pending_.empty() && pending_.front().finished == rows(); });
  Pending done = std::move(pending_.front());
  pending_.pop_front();
  ++next_;
  lock.unlock();
  work_left_.notify_all();
  if (done.error) std::rethrow_exception(done.error);
  return done.batch;
}

SampleLoader::Pending* SampleLoader::unstarted() {
  const auto open =
      std::ranges::find_if(pending_, [&](const Pending& p) { return p.started < rows(); });
  if (open != pending_.end()) return &*open;
  const int64_t iteration = next_ + static_cast<int64_t>(pending_.size());
  const bool room = static_cast<int64_t>(pending_.size()) < options_.prefetch;
  if (!room || iteration >= options_.last) return nullptr;
  pending_.push_back({empty_batch(iteration)});
  return &pending_.back();
}

void SampleLoader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    Pending* pending = nullptr;
    work_left_.wait(lock, [&] { return closing_ || (pending = unstarted()) != nullptr; });
    if (closing_) return;
    const LabelledBatch batch = pending->batch;
    const int64_t row = pending->started++;
    lock.unlock();
    std::exception_ptr error;
    try {
      read(batch, row);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !pending->error) pending->error = error;
    if (++pending->finished == rows()) batch_done_.notify_one();
  }
}

DevicePrefetcher::DevicePrefetcher(SampleLoader& loader, int64_t batches, at::Device device)
    : loader_(loader), left_(batches), device_(device) {
  if (device.is_cpu()) return;
  copy_stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

DevicePrefetcher::Copy DevicePrefetcher::begin_copy() {
  --left_;
  LabelledBatch host = loader_.next();
  const c10::StreamGuard guard(*copy_stream_);
  LabelledBatch copy{host.iteration, host.set, host.images,
                     host.pixels.to(device_, /*non_blocking=*/true),
                     host.labels.to(device_, /*non_blocking=*/true)};
  c10::Event ready(device_.type());
  ready.record(*copy_stream_);
  return {std::move(copy), std::move(host), std::move(ready)};
}

LabelledBatch DevicePrefetcher::next() {
  if (!copy_stream_) return loader_.next();
  if (!ahead_) ahead_.emplace(begin_copy());
  current_.emplace(std::move(*ahead_));
  ahead_.reset();
  if (left_ > 0) ahead_.emplace(begin_copy());
  const c10::Stream work = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  current_->ready.block(work);
  // The caching allocator must not reuse their memory while `work` reads them.
  current_->on_device.pixels.record_stream(work);
  current_->on_device.labels.record_stream(work);
  return current_->on_device;
}

}  // namespace tagclip
