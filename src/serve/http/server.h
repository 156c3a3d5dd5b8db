#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serve/http/exchange.h"
#include "serve/http/listener.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace tagclip {

struct HttpLimits {
  size_t body_bytes = size_t{32} << 20;
  size_t held_bytes = size_t{512} << 20;  // of all bodies that are being received
  int64_t connections = 256;
  int64_t connections_per_address = 64;
  std::chrono::seconds receive{60};   // for the headers of a request to come in
  std::chrono::seconds upload{300};   // for its body
  std::chrono::seconds idle{30};      // without a byte
  std::chrono::seconds deadline{60};  // for its answer to be made
  std::chrono::seconds send{120};     // for the answer to be taken
};

// The texts of PEM files; empty: plain HTTP.
struct TlsFiles {
  std::string certificate, key;
};

// A request that is over.
struct FinishedRequest {
  const ClientRequest& request;
  int status = 0;                 // 0: the client left before there was an answer
  size_t received = 0, sent = 0;  // bytes of the bodies
  double seconds = 0;
};

// What a server serves. All functions are called from the threads of connections, which must not
// wait.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Says, when all but the body has come, why the request is refused; its body is then not kept.
  virtual std::optional<Answer> admit(const ClientRequest& request) = 0;
  // Answers a whole request, at once or later.
  virtual void handle(const std::shared_ptr<Exchange>& exchange) = 0;
  // Work for this exchange is in vain: the client left, or the deadline has passed.
  virtual void give_up(const Exchange& exchange) = 0;
  // Adds to an answer what all answers have.
  virtual void complete(const ClientRequest& request, Answer& answer) = 0;
  virtual void finished(const FinishedRequest& request) = 0;
};

// Accepts connections and reads requests by libmicrohttpd, on threads of its own. A connection
// whose answer is not there yet waits without a thread.
class HttpServer {
 public:
  // Accepts from now on, and closes the listener's socket in the end. Throws Error(kBadInput) for a
  // certificate that cannot be used. `handler` must outlive it.
  HttpServer(const Listener& listener, const TlsFiles& tls, const HttpLimits& limits,
             HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  size_t connections() const;

  // Ends what takes too long and notices clients that left. To be called a few times a second.
  void tick();
  // Accepts no new connection, waits up to `patience` for the requests under way and ends the rest.
  void drain(std::chrono::seconds patience);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { kReceiving, kUploading, kAnswering, kSending };
  std::chrono::seconds limit_of(Phase phase) const;
  // A connection: what it does, and since when.
  struct Peer {
    int socket = -1;
    Phase phase = Phase::kReceiving;
    Clock::time_point since = Clock::now();
    std::shared_ptr<Exchange> exchange = {};  // while kAnswering
  };
  struct Callbacks;

  void enter(MHD_Connection* connection, Phase phase, std::shared_ptr<Exchange> exchange = {});
  int begin(MHD_Connection* connection, std::shared_ptr<Exchange>& exchange);
  int receive(Exchange& exchange, const char* data, size_t* size);
  int answer(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange);
  int send(MHD_Connection* connection, Exchange& exchange, Answer answer);
  void finish(const std::shared_ptr<Exchange>& exchange);

  const HttpLimits limits_;
  HttpHandler& handler_;
  const int listener_;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> draining_ = false;  // the requests under way are the last ones
  std::atomic<bool> closing_ = false;   // none may wait any more
  std::atomic<size_t> held_ = 0;        // bytes of bodies in memory
  std::atomic<size_t> requests_ = 0;    // under way
  mutable std::mutex mutex_;            // guards what follows
  std::list<Peer> peers_;
};

}  // namespace tagclip
