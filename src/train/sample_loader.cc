#include "train/sample_loader.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

// By us alone, views included.
bool held_once(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace

SampleLoader::SampleLoader(const SampleSource& source, LoaderOptions options)
    : source_(source), options_(options), next_(options.first) {
  TAGCLIP_CHECK(source.batch() % options.share.parts == 0, "the batch cannot be shared evenly");
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

// Fresh pages for a batch would take the system as long as the pictures take us.
LabelledBatch SampleLoader::empty_batch(int64_t iteration) {
  const std::vector<int64_t> photos = source_.photos(iteration);
  const auto ours = photos.begin() + options_.share.part * rows();
  const auto free = std::ranges::find_if(lent_, [](const LabelledBatch& batch) {
    return held_once(batch.pixels) && held_once(batch.labels);
  });
  if (free != lent_.end()) return {iteration, {ours, ours + rows()}, free->pixels, free->labels};
  const int64_t side = source_.side();
  const auto options = at::TensorOptions().pinned_memory(options_.pinned);
  lent_.push_back({iteration,
                   {ours, ours + rows()},
                   at::empty({rows(), 3, side, side}, options.dtype(at::kFloat)),
                   at::empty({rows(), side, side}, options.dtype(at::kInt))});
  return lent_.back();
}

void SampleLoader::read(const LabelledBatch& batch, int64_t row) const {
  const int64_t slot = options_.share.part * rows() + row;
  source_.read(batch.iteration, slot, batch.photos[row],
               batch.pixels[row].mutable_data_ptr<float>(),
               batch.labels[row].mutable_data_ptr<int32_t>());
}

LabelledBatch SampleLoader::next() {
  TAGCLIP_CHECK(next_ < options_.last, "all batches have been taken");
  if (threads_.empty()) {
    const LabelledBatch batch = empty_batch(next_++);  // nobody to lock out
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

}  // namespace tagclip
