#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/exchange.h"
#include "serve/metrics.h"
#include "serve/request_log.h"
#include "serve/segment/bounded_queue.h"
#include "serve/segment/kept_items.h"
#include "serve/segment/segment_request.h"
#include "serve/serve.h"
#include "tagclip/tagclip.h"

namespace tagclip {

// What a model says of a photo.
struct ModelResult {
  Vocabulary vocabulary;
  Segmentation labels;
};

// Work for the model.
struct ModelJob {
  std::shared_ptr<Exchange> exchange;
  std::string photo;                      // a file's bytes; empty: it was encoded before
  std::optional<SegmentRequest> segment;  // nothing: the photo is to be encoded and kept
  // Gets the labels, or an Error, in place of the exchange, which is then only asked whether
  // somebody still waits. Null: the exchange is answered.
  std::shared_ptr<std::promise<ModelResult>> result = {};
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

// The model, on a thread of its own that does one thing after the other: it is loaded first, then
// jobs of a bounded queue are answered. Encoded photos are kept in bounded memory.
class Engine {
 public:
  Engine(const ServeOptions& options, Metrics& metrics, RequestLog& log);
  // Begins to load the model. To be called once.
  void start();
  // Answers what is in the queue, and stops.
  ~Engine();
  // Takes no more jobs. Returns whether its thread has ended within that time.
  bool ends_within(std::chrono::milliseconds patience);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  bool is_ready() const { return ready_; }
  // Throws what loading the model threw.
  void rethrow_failure() const;
  // The answer to GET /v1/models, once it is ready.
  const std::string& description() const { return description_; }

  // Takes the job, or answers it with 429 where too many wait, 404 where its encoding is not kept.
  void submit(ModelJob job);
  // Takes the job, or leaves it and returns false where too many wait.
  bool offer(ModelJob& job) { return queue_.push(job); }
  bool is_full() const { return queue_.size() >= most_waiting_; }
  // Takes the jobs of an exchange that is over out of the queue.
  void drop(const Exchange& exchange);
  bool forget(const std::string& encoding) { return encodings_.remove(encoding); }
  void expire() { encodings_.expire(); }
  // The number of windows that a photo of this size is encoded in, once it is ready.
  size_t count_windows(int width, int height) const { return model_->count_windows(width, height); }
  void fill(ServerGauges& gauges) const;

 private:
  using Encodings = std::vector<std::optional<PhotoEncoding>>;

  void run();
  void fail();
  void load();
  void serve(std::vector<ModelJob> jobs);
  Encodings encode(const std::vector<ModelJob>& jobs, std::vector<std::string>& warnings);
  void keep(const ModelJob& job, PhotoEncoding encoding);
  void segment(const ModelJob& job, const PhotoEncoding& encoding, double encode_milliseconds,
               std::vector<std::string> warnings);
  void refuse(const ModelJob& job, const Error& error);
  std::string new_encoding_id() const;

  const ServeOptions options_;
  Metrics& metrics_;
  RequestLog& log_;
  const size_t most_waiting_;
  const std::string instance_;  // the first part of all ids of encodings
  BoundedQueue<ModelJob> queue_;
  KeptItems<PhotoEncoding> encodings_;
  std::optional<Segmenter> model_;
  bool knows_classes_ = false;
  std::string description_;
  std::atomic<bool> ready_ = false;
  mutable std::mutex mutex_;  // guards what follows
  std::exception_ptr failure_;
  bool over_ = false;  // the thread has nothing more to do
  std::condition_variable ended_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace tagclip
