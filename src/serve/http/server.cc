#include "serve/http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <exception>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

// Holds the line of the request and all headers, and the piece of the body that is being read.
constexpr size_t kConnectionMemory = size_t{32} << 10;
constexpr unsigned kConnectionThreads = 2;
// The part of a body that is too large which is read and dropped, so that the client, which sends
// first and reads then, gets to know why.
constexpr size_t kDropped = size_t{64} << 20;

std::string address_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return "unknown";
  char text[INET6_ADDRSTRLEN] = {};
  const sockaddr* address = info->client_addr;
  const void* ip =
      address->sa_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr)
          : &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  return ::inet_ntop(address->sa_family, ip, text, sizeof text) ? text : "unknown";
}

std::string new_id() {
  thread_local std::mt19937_64 random{std::random_device()()};
  return fmt::format("{:016x}", random());
}

// The client's own id, where it is one that a line of the log may hold.
std::string id_of(const std::string* wanted) {
  constexpr size_t kLongest = 64;
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  const bool usable = wanted != nullptr && !wanted->empty() && wanted->size() <= kLongest &&
                      std::ranges::all_of(*wanted, plain);
  return usable ? *wanted : new_id();
}

ClientRequest request_of(MHD_Connection* connection, const char* method, const char* path) {
  ClientRequest request{.client = address_of(connection), .method = method, .path = path};
  MHD_get_connection_values(
      connection, MHD_HEADER_KIND,
      [](void* into, MHD_ValueKind, const char* name, const char* value) {
        auto& headers = static_cast<ClientRequest*>(into)->headers;
        headers.emplace_back(in_small_letters(name), value == nullptr ? "" : value);
        return MHD_YES;
      },
      &request);
  request.id = id_of(request.header("x-request-id"));
  return request;
}

// Refuses what a proxy before this server may understand in another way: where a body ends, and
// whom the request is for.
std::optional<Answer> ambiguity(const ClientRequest& request) {
  const auto count = [&](std::string_view name) {
    return std::ranges::count(request.headers, name, [](const auto& h) { return h.first; });
  };
  std::string what;
  const std::string* coding = request.header("transfer-encoding");
  if (count("content-length") + count("transfer-encoding") > 1) {
    what = "the request tells the length of its body twice";
  } else if (coding != nullptr && in_small_letters(*coding) != "chunked") {
    what = fmt::format("a body in the transfer coding {}; chunked is known", in_quotes(*coding));
  } else if (count("host") > 1) {
    what = "the request has two Host headers";
  }
  if (what.empty()) return {};
  Answer answer = refusal(400, "bad_input", what);
  answer.close = true;
  return answer;
}

// True once the client has closed its side and all it sent was read. libmicrohttpd does not notice
// it within a request, and would hold what has come until the connection has been idle for long.
bool sends_no_more(int socket) {
  char next;
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): it does not wait
  return ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

Answer too_large(size_t limit) {
  return refusal(413, "too_large", fmt::format("the request is larger than {} MiB", limit >> 20),
                 "send a smaller photo: the model looks at no more than a few megapixels");
}

}  // namespace

// The functions that libmicrohttpd calls. No exception may pass them.
struct HttpServer::Callbacks {
  using Held = std::shared_ptr<Exchange>;

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* data, size_t* size,
                               void** held) {
    auto& server = *static_cast<HttpServer*>(self);
    try {
      if (*held == nullptr) {
        auto exchange =
            std::make_unique<Held>(std::make_shared<Exchange>(request_of(connection, method, url)));
        Held& made = *exchange;
        *held = exchange.release();
        ++server.requests_;
        return static_cast<MHD_Result>(server.begin(connection, made));
      }
      Held& exchange = *static_cast<Held*>(*held);
      if (*size > 0) return static_cast<MHD_Result>(server.receive(*exchange, data, size));
      return static_cast<MHD_Result>(server.answer(connection, exchange));
    } catch (const std::exception&) {  // memory: this connection ends, the others go on
      return MHD_NO;
    }
  }

  // A path ends for libmicrohttpd at a NUL, so that %00 is left as it is: no path has it.
  static size_t unescape(void*, MHD_Connection*, char* text) {
    if (std::strstr(text, "%00") != nullptr) return std::strlen(text);
    return MHD_http_unescape(text);
  }

  static void on_end(void* self, MHD_Connection* connection, void** held,
                     MHD_RequestTerminationCode) {
    auto& server = *static_cast<HttpServer*>(self);
    const std::unique_ptr<Held> exchange(static_cast<Held*>(*held));
    *held = nullptr;
    if (exchange == nullptr) return;
    server.enter(connection, Phase::kReceiving);
    server.finish(*exchange);
  }

  static void on_connection(void* self, MHD_Connection* connection, void** place,
                            MHD_ConnectionNotificationCode code) {
    auto& server = *static_cast<HttpServer*>(self);
    const std::lock_guard lock(server.mutex_);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      server.peers_.push_front({.socket = info->connect_fd});
      *place = new std::list<Peer>::iterator(server.peers_.begin());
    } else {
      const std::unique_ptr<std::list<Peer>::iterator> peer(
          static_cast<std::list<Peer>::iterator*>(*place));
      if (peer != nullptr) server.peers_.erase(*peer);
      *place = nullptr;
    }
  }
};

HttpServer::HttpServer(const Listener& listener, const TlsFiles& tls, const HttpLimits& limits,
                       HttpHandler& handler)
    : limits_(limits), handler_(handler), listener_(listener.socket) {
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
  if (listener.ipv6) flags |= MHD_USE_IPv6;
  std::vector<MHD_OptionItem> items = {
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(kConnectionMemory), nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(limits.connections), nullptr},
      {MHD_OPTION_PER_IP_CONNECTION_LIMIT, static_cast<intptr_t>(limits.connections_per_address),
       nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(limits.idle.count()), nullptr},
      {MHD_OPTION_THREAD_POOL_SIZE, kConnectionThreads, nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
      {MHD_OPTION_LISTEN_SOCKET, listener_, nullptr}};
  if (!tls.certificate.empty()) {
    flags |= MHD_USE_TLS;
    items.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(tls.certificate.c_str())});
    items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(tls.key.c_str())});
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &Callbacks::on_request, this,
                             MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::on_end, this,
                             MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::on_connection, this,
                             MHD_OPTION_UNESCAPE_CALLBACK, &Callbacks::unescape, nullptr,
                             MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (daemon_ != nullptr) return;
  ::close(listener_);
  if (tls.certificate.empty()) throw failure("the HTTP server does not start");
  throw bad_input("HTTPS does not start with this certificate and key",
                  "`tls_cert` and `tls_key` must be PEM files that belong together");
}

HttpServer::~HttpServer() { drain(std::chrono::seconds(0)); }

size_t HttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

void HttpServer::enter(MHD_Connection* connection, Phase phase,
                       std::shared_ptr<Exchange> exchange) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  const std::lock_guard lock(mutex_);
  if (info == nullptr || info->socket_context == nullptr) return;
  Peer& peer = **static_cast<std::list<Peer>::iterator*>(info->socket_context);
  peer.phase = phase;
  peer.since = Clock::now();
  peer.exchange = std::move(exchange);
}

int HttpServer::begin(MHD_Connection* connection, std::shared_ptr<Exchange>& exchange) {
  enter(connection, Phase::kUploading);
  const ClientRequest& request = exchange->request_;
  const std::string* length = request.header("content-length");
  const uint64_t bytes = length == nullptr ? 0 : parse_number<uint64_t>(*length).value_or(0);
  std::optional<Answer> refused = ambiguity(request);
  if (!refused) refused = handler_.admit(request);
  if (!refused && bytes > limits_.body_bytes) refused = too_large(limits_.body_bytes);
  if (!refused) return MHD_YES;
  const bool waits = request.header("expect") != nullptr;
  if (waits || refused->close || bytes > kDropped) {
    refused->close = true;
    return send(connection, *exchange, std::move(*refused));
  }
  exchange->refused_ = std::move(refused);
  return MHD_YES;
}

int HttpServer::receive(Exchange& exchange, const char* data, size_t* size) {
  const size_t count = std::exchange(*size, 0);
  exchange.received_ += count;
  if (!exchange.refused_ && exchange.received_ > limits_.body_bytes) {
    exchange.refused_ = too_large(limits_.body_bytes);
  }
  if (!exchange.refused_ && held_ + count > limits_.held_bytes) {
    exchange.refused_ = refusal(503, "busy", "too many large requests come in at a time",
                                "wait as Retry-After says, then send it again");
  }
  if (exchange.refused_) {
    std::string().swap(exchange.request_.body);
    held_ -= std::exchange(exchange.held_, 0);
    return exchange.received_ > kDropped ? MHD_NO : MHD_YES;
  }
  exchange.request_.body.append(data, count);
  exchange.held_ += count;
  held_ += count;
  return MHD_YES;
}

int HttpServer::answer(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange) {
  if (exchange->refused_) return send(connection, *exchange, std::move(*exchange->refused_));
  if (std::optional<Answer> answer = exchange->take_answer()) {
    return send(connection, *exchange, std::move(*answer));
  }
  enter(connection, Phase::kAnswering, exchange);
  try {
    if (closing_) throw Error(ErrorKind::kStopped, "stopped");
    handler_.handle(exchange);
  } catch (const Error& error) {
    exchange->answer(refusal_of(error, exchange->request_.id));
  } catch (const std::bad_alloc&) {
    exchange->answer(refusal_of(failure("out of memory"), exchange->request_.id));
  } catch (const std::exception& error) {
    exchange->answer(refusal_of(failure(error.what()), exchange->request_.id));
  }
  bool waits = false;
  exchange->wait(
      [&] {
        waits = true;
        MHD_suspend_connection(connection);
      },
      [connection] { MHD_resume_connection(connection); });
  if (waits) return MHD_YES;
  return send(connection, *exchange, std::move(*exchange->take_answer()));
}

int HttpServer::send(MHD_Connection* connection, Exchange& exchange, Answer answer) {
  enter(connection, Phase::kSending);
  handler_.complete(exchange.request_, answer);
  exchange.status_ = answer.status;
  exchange.sent_ = answer.body.size();
  auto body = std::make_unique<std::string>(std::move(answer.body));
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* text) { delete static_cast<std::string*>(text); },
      body.get());
  if (response == nullptr) return MHD_NO;
  static_cast<void>(body.release());  // the response's now
  const auto add = [&](const std::string& name, const std::string& value) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  };
  if (!answer.type.empty() && answer.status != 204 && answer.status != 304) {
    add("Content-Type", answer.type);
  }
  add("X-Request-Id", exchange.request_.id);
  for (const auto& [name, value] : answer.headers) add(name, value);
  if (answer.close || draining_) add("Connection", "close");
  const int queued = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

void HttpServer::finish(const std::shared_ptr<Exchange>& exchange) {
  held_ -= std::exchange(exchange->held_, 0);
  const std::chrono::duration<double> passed = Clock::now() - exchange->begun_;
  handler_.finished({exchange->request_, exchange->status_, exchange->received_, exchange->sent_,
                     passed.count()});
  --requests_;
}

std::chrono::seconds HttpServer::limit_of(Phase phase) const {
  switch (phase) {
    case Phase::kReceiving:
      return limits_.receive;
    case Phase::kUploading:
      return limits_.upload;
    case Phase::kAnswering:
      return limits_.deadline;
    case Phase::kSending:
      break;
  }
  return limits_.send;
}

void HttpServer::tick() {
  std::vector<std::pair<std::shared_ptr<Exchange>, Answer>> ended;
  {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    for (const Peer& peer : peers_) {
      const auto passed = now - peer.since;
      if (peer.phase == Phase::kAnswering) {
        if (peer.exchange == nullptr || peer.exchange->is_over()) continue;
        pollfd poll{peer.socket, POLLRDHUP, 0};
        if (::poll(&poll, 1, 0) > 0 && (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
          Answer left{.status = 499, .close = true};  // nobody reads it
          ended.emplace_back(peer.exchange, std::move(left));
        } else if (passed > limit_of(peer.phase)) {
          ended.emplace_back(peer.exchange,
                             refusal(504, "timeout",
                                     fmt::format("there was no answer within {} seconds",
                                                 limits_.deadline.count()),
                                     "try again when the server is less busy"));
        }
      } else if (passed > limit_of(peer.phase) ||
                 (peer.phase != Phase::kSending && sends_no_more(peer.socket))) {
        ::shutdown(peer.socket, SHUT_RDWR);
      }
    }
  }
  for (auto& [exchange, answer] : ended) {
    exchange->answer(std::move(answer));
    handler_.give_up(*exchange);
  }
}

void HttpServer::drain(std::chrono::seconds patience) {
  if (daemon_ == nullptr) return;
  constexpr std::chrono::milliseconds kStep{20}, kLastWords{1000};
  draining_ = true;
  MHD_quiesce_daemon(daemon_);
  ::shutdown(listener_, SHUT_RDWR);  // who calls from now on is refused at once
  const Clock::time_point end = Clock::now() + patience;
  while (requests_ > 0 && Clock::now() < end) {
    tick();
    std::this_thread::sleep_for(kStep);
  }
  // No connection may be suspended when the daemon stops: those that enter from now on do not wait.
  closing_ = true;
  std::vector<std::shared_ptr<Exchange>> rest;
  {
    const std::lock_guard lock(mutex_);
    for (const Peer& peer : peers_) {
      if (peer.exchange != nullptr) rest.push_back(peer.exchange);
    }
  }
  for (const auto& exchange : rest) {
    exchange->answer(refusal(503, "not_ready", "the server is going down", "try again"));
    handler_.give_up(*exchange);
  }
  const Clock::time_point last = Clock::now() + kLastWords;
  while (requests_ > 0 && Clock::now() < last) std::this_thread::sleep_for(kStep);
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
  ::close(listener_);
}

}  // namespace tagclip
