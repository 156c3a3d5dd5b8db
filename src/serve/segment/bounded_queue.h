#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace tagclip {

// Jobs that wait for one thread, first in, first out, and only so many. Safe to use from several
// threads.
template <class Job>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t most) : most_(most) {}

  // Returns false, and leaves the job, where the queue is full or closed.
  bool push(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || jobs_.size() >= most_) return false;
      jobs_.push_back(std::move(job));
    }
    arrived_.notify_one();
    return true;
  }

  // Waits for a job; nothing once the queue is closed and empty.
  std::optional<Job> pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return {};
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  // Takes out, without waiting, up to `most` jobs that `wanted` accepts, wherever they stand.
  template <class Wanted>
  std::vector<Job> take(size_t most, const Wanted& wanted) {
    const std::lock_guard lock(mutex_);
    std::vector<Job> taken;
    std::deque<Job> rest;
    for (Job& job : jobs_) {
      if (taken.size() < most && wanted(job)) {
        taken.push_back(std::move(job));
      } else {
        rest.push_back(std::move(job));
      }
    }
    jobs_.swap(rest);
    return taken;
  }

  // Takes no more jobs. Those that wait are still popped.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return jobs_.size();
  }

 private:
  const size_t most_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

}  // namespace tagclip
