#pragma once

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "model/dropout.h"
#include "train/training_samples.h"

namespace tagclip {

// A rank's share of the samples of an iteration.
struct LabelledBatch {
  int64_t iteration = 0;
  size_t set = 0;               // the data set that the samples are of
  std::vector<int64_t> images;  // positions in the data set, before any is replaced
  at::Tensor pixels;            // [B, 3, side, side] float32, normalised
  at::Tensor labels;            // [B, side, side] int32: classes of the set, or void_label
};

struct LoaderOptions {
  int64_t first = 0, last = 0;  // iterations: first .. last - 1
  BatchShare share;             // this rank's
  int64_t workers = 0;          // threads; 0: next() does the work itself
  int64_t prefetch = 2;         // batches made ahead, at most
  bool pinned = false;          // page-locked memory, from which a GPU copies while it computes
};

// Makes the batches of a run in order, some ahead of their use. Their content depends on neither
// the number of threads nor the ranks. Memory: prefetch + 1 batches.
class SampleLoader {
 public:
  // `samples` must outlive the loader.
  SampleLoader(const TrainingSamples& samples, LoaderOptions options);
  ~SampleLoader();
  SampleLoader(const SampleLoader&) = delete;
  SampleLoader& operator=(const SampleLoader&) = delete;

  // The next iteration's batch. Throws what reading one of its images threw.
  LabelledBatch next();

 private:
  struct Pending {
    LabelledBatch batch;
    int64_t started = 0, finished = 0;  // samples
    std::exception_ptr error;
  };

  int64_t rows() const { return samples_.batch() / options_.share.parts; }
  LabelledBatch empty_batch(int64_t iteration);  // with the lock held
  void read(const LabelledBatch& batch, int64_t row) const;
  Pending* unstarted();  // with the lock held
  void work();

  const TrainingSamples& samples_;
  LoaderOptions options_;
  int64_t next_;  // iteration

  std::mutex mutex_;                        // guards the rest
  std::vector<LabelledBatch> buffer_pool_;  // reused once nobody else holds a batch
  std::condition_variable work_left_, batch_done_;
  std::deque<Pending> pending_;  // from the next iteration on; a deque: its elements stay in place
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// Copies the batches of a loader to the device: while a GPU works on one, the next is copied on a
// stream of its own. On the CPU it hands them on as they are.
class DevicePrefetcher {
 public:
  // `loader` must outlive it and has `batches` left. For a GPU its batches are pinned.
  DevicePrefetcher(SampleLoader& loader, int64_t batches, at::Device device);

  // The next batch, on the device. Throws as SampleLoader::next, one batch early on a GPU.
  LabelledBatch next();

 private:
  struct Copy {
    LabelledBatch on_device;
    LabelledBatch on_host;  // kept until the copy is ready
    c10::Event ready;
  };
  Copy begin_copy();

  SampleLoader& loader_;
  int64_t left_;  // batches not yet taken from the loader
  at::Device device_;
  std::optional<c10::Stream> copy_stream_;  // on a GPU
  std::optional<Copy> ahead_, current_;
};

}  // namespace tagclip
