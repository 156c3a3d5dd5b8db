#pragma once

#include <ATen/ATen.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "model/dropout.h"
#include "train/sample_source.h"

namespace tagclip {

// A rank's part of the photos of an iteration.
struct LabelledBatch {
  int64_t iteration = 0;
  std::vector<int64_t> photos;  // positions in the data set, where none had to be replaced
  at::Tensor pixels;            // [B, 3, side, side] float32, normalised
  at::Tensor labels;            // [B, side, side] int32: classes of the data set, or void_label
};

struct LoaderOptions {
  int64_t first = 0, last = 0;  // iterations: first .. last - 1
  BatchShare share;             // this rank's
  int64_t workers = 0;          // threads; 0: next() does the work itself
  int64_t prefetch = 2;         // batches made ahead, at most
  bool pinned = false;          // memory that a GPU can copy from while it computes
};

// Makes the batches of a run in order, some ahead of their use. What is in them depends on neither
// the number of threads nor the ranks. Memory: prefetch + 1 batches.
class SampleLoader {
 public:
  // `source` must outlive the loader.
  SampleLoader(const SampleSource& source, LoaderOptions options);
  ~SampleLoader();
  SampleLoader(const SampleLoader&) = delete;
  SampleLoader& operator=(const SampleLoader&) = delete;

  // The next iteration's. Throws what reading one of its photos threw.
  LabelledBatch next();

 private:
  struct Pending {
    LabelledBatch batch;
    int64_t started = 0, finished = 0;  // samples
    std::exception_ptr error;
  };

  int64_t rows() const { return source_.batch() / options_.share.parts; }
  LabelledBatch empty_batch(int64_t iteration);  // with the lock held
  void read(const LabelledBatch& batch, int64_t row) const;
  Pending* unstarted();  // with the lock held
  void work();

  const SampleSource& source_;
  LoaderOptions options_;
  int64_t next_;  // iteration

  std::mutex mutex_;                // of what follows
  std::vector<LabelledBatch> lent_;  // memory that comes back when a batch is let go of
  std::condition_variable work_left_, batch_done_;
  std::deque<Pending> pending_;  // from the next iteration on; a deque: its elements stay in place
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tagclip
