#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "serve/http/message.h"

namespace tagclip {

// A request and, once, its answer. Safe to use from several threads.
class Exchange {
 public:
  explicit Exchange(ClientRequest request) : request_(std::move(request)) {}

  const ClientRequest& request() const { return request_; }
  std::chrono::steady_clock::time_point begun() const { return begun_; }

  // The first answer is sent, later ones are dropped.
  void answer(Answer answer);
  // True once there is an answer: more work for it is in vain.
  bool is_over() const { return over_; }

 private:
  friend class HttpServer;

  // Calls `suspend` unless the answer is there already; `resume` is called once it is.
  void wait(const std::function<void()>& suspend, std::function<void()> resume);
  std::optional<Answer> take_answer();

  ClientRequest request_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::atomic<bool> over_ = false;
  std::mutex mutex_;  // guards what follows
  std::optional<Answer> answer_;
  std::function<void()> resume_;

  // These belong to the thread of the connection.
  std::optional<Answer> refused_;  // sent once the body is read and dropped
  size_t received_ = 0;            // bytes of the body
  size_t held_ = 0;                // of these, in memory
  int status_ = 0;                 // of the answer; 0: none was sent
  size_t sent_ = 0;                // bytes of its body
};

}  // namespace tagclip
