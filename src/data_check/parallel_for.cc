#include "data_check/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tagclip {
namespace {

constexpr std::chrono::milliseconds kBetweenCalls(100);

class Loop {
 public:
  Loop(size_t count, const std::function<void(size_t)>& work) : count_(count), work_(work) {}

  // Runs in each thread.
  void work_off() {
    for (size_t i = next_++; i < count_ && !stop_; i = next_++) {
      try {
        work_(i);
        ++finished_;
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        stop_ = true;
      }
    }
    const std::lock_guard lock(mutex_);
    ++ended_;
    wake_.notify_one();
  }

  // Waits until `threads` threads have ended.
  void wait(size_t threads, const std::function<bool(size_t)>& done) {
    std::unique_lock lock(mutex_);
    bool all_ended = false;
    while (!all_ended) {
      all_ended = wake_.wait_for(lock, kBetweenCalls, [&] { return ended_ == threads; });
      lock.unlock();
      if (!done(finished_)) stop_ = true;
      lock.lock();
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const size_t count_;
  const std::function<void(size_t)>& work_;
  std::atomic<size_t> next_ = 0, finished_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  size_t ended_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void parallel_for(size_t count, const std::function<void(size_t)>& work,
                  const std::function<bool(size_t)>& done) {
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  Loop loop(count, work);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < std::min(cores, count); ++i)
      threads.emplace_back([&] { loop.work_off(); });
    loop.wait(threads.size(), done);
  }
  loop.rethrow();
}

}  // namespace tagclip
