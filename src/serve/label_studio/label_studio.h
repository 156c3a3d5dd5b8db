#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/label_studio/picture_source.h"
#include "serve/label_studio/predict_request.h"
#include "serve/segment/engine.h"

namespace tagclip {

// What makes the server a machine learning backend of one Label Studio: tasks and the labelling
// interface in, predictions out. Pictures are fetched by threads of its own; their photos go
// through the engine's queue like all others.
class LabelStudio {
 public:
  // Nothing where neither `label_studio_url` nor LABEL_STUDIO_URL names a Label Studio. Throws
  // Error(kUsage) where there is no key for it, and for what cannot be an address or a key.
  static std::unique_ptr<LabelStudio> start(const ServeOptions& options,
                                            const RequestLimits& limits, Engine& engine,
                                            Metrics& metrics, RequestLog& log);
  // All its exchanges must be over.
  ~LabelStudio();
  LabelStudio(const LabelStudio&) = delete;
  LabelStudio& operator=(const LabelStudio&) = delete;

  // Where its pictures come from, for people.
  std::string address() const { return pictures_.address().shown(); }

  Answer health() const;
  Answer setup(const ClientRequest& request) const;
  Answer validate(const ClientRequest& request) const;
  Answer versions() const;
  Answer webhook(const ClientRequest& request) const;
  // Answers POST /predict later. Of several tasks those that fail have {"error": ...} in place of
  // a prediction, which Label Studio logs and leaves out; where all fail, the answer is the first
  // one's error.
  void predict(const std::shared_ptr<Exchange>& exchange);

 private:
  struct Job {
    std::shared_ptr<Exchange> exchange;
    PredictRequest request;
  };
  class Predictions;

  LabelStudio(const ServeOptions& options, const RequestLimits& limits, Engine& engine,
              Metrics& metrics, RequestLog& log, const std::string& address,
              const std::string& key);
  void serve(const Job& job);

  const ServeOptions options_;
  const RequestLimits limits_;
  Engine& engine_;
  Metrics& metrics_;
  RequestLog& log_;
  const std::string model_version_;
  PictureSource pictures_;
  BoundedQueue<Job> queue_;
  std::vector<std::thread> threads_;  // the last member: they use the others
};

}  // namespace tagclip
