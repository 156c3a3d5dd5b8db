#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serve/http/guard.h"
#include "serve/http/server.h"
#include "serve/label_studio/label_studio.h"
#include "serve/metrics.h"
#include "serve/request_log.h"
#include "serve/segment/engine.h"
#include "serve/static_files.h"

namespace tagclip {

// What the server answers, route by route (docs/openapi.json), and who may ask.
class Routes final : public HttpHandler {
 public:
  Routes(const ServeOptions& options, ApiKeys keys, Engine& engine, Metrics& metrics,
         RequestLog& log);

  // Takes no new work from now on: /readyz says so.
  void drain() { draining_ = true; }
  // The number of open connections, for /metrics.
  void count_connections(std::function<size_t()> connections) {
    connections_ = std::move(connections);
  }

  std::optional<Answer> admit(const ClientRequest& request) override;
  void handle(const std::shared_ptr<Exchange>& exchange) override;
  void give_up(const Exchange& exchange) override { engine_.drop(exchange); }
  void complete(const ClientRequest& request, Answer& answer) override;
  void finished(const FinishedRequest& request) override;

 private:
  struct Route {
    std::string path;  // ends in / where the rest is an id
    std::vector<std::string> methods;
    bool is_open = false;     // needs no key
    bool needs_model = true;  // 503 until it is loaded
    void (Routes::*answer)(const std::shared_ptr<Exchange>& exchange);
    bool is_for_label_studio = false;  // 404 where none is named
  };
  const Route* find(const std::string& path) const;
  std::optional<Answer> check_origin(const ClientRequest& request) const;
  bool is_foreign_friend(const std::string& origin) const;  // named by cors_origin

  void health(const std::shared_ptr<Exchange>& exchange);
  void readiness(const std::shared_ptr<Exchange>& exchange);
  void metrics(const std::shared_ptr<Exchange>& exchange);
  void models(const std::shared_ptr<Exchange>& exchange);
  void encode(const std::shared_ptr<Exchange>& exchange);
  void forget_encoding(const std::shared_ptr<Exchange>& exchange);
  void segment(const std::shared_ptr<Exchange>& exchange);
  void file(const std::shared_ptr<Exchange>& exchange);
  void label_studio_health(const std::shared_ptr<Exchange>& exchange);
  void label_studio_setup(const std::shared_ptr<Exchange>& exchange);
  void label_studio_validate(const std::shared_ptr<Exchange>& exchange);
  void label_studio_versions(const std::shared_ptr<Exchange>& exchange);
  void label_studio_webhook(const std::shared_ptr<Exchange>& exchange);
  void label_studio_predict(const std::shared_ptr<Exchange>& exchange);

  const ServeOptions options_;
  const ApiKeys keys_;
  const RequestLimits limits_;
  const StaticFiles files_;
  Engine& engine_;
  Metrics& metrics_;
  RequestLog& log_;
  const std::unique_ptr<LabelStudio> label_studio_;  // null: none is named
  std::atomic<bool> draining_ = false;
  std::function<size_t()> connections_ = [] { return size_t{0}; };
  const std::vector<Route> routes_;
  const Route file_route_;
};

}  // namespace tagclip
