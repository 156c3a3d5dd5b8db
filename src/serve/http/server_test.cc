#include "serve/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <condition_variable>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tagclip {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

// Answers /echo with the body at once, /later when it is told to, and never /never.
class FakeHandler : public HttpHandler {
 public:
  std::optional<Answer> admit(const ClientRequest& request) override {
    if (request.path == "/forbidden") return refusal(403, "forbidden", "no");
    return {};
  }
  void handle(const std::shared_ptr<Exchange>& exchange) override {
    const std::string& path = exchange->request().path;
    if (path.ends_with("%00")) return exchange->answer({.status = 404});
    if (path == "/throw") throw std::runtime_error("secret of ours");
    if (path == "/echo" || path == "/") return exchange->answer({.body = exchange->request().body});
    const std::lock_guard lock(mutex_);
    held_.push_back(exchange);
    changed_.notify_all();
  }
  void give_up(const Exchange&) override { ++given_up; }
  void complete(const ClientRequest&, Answer& answer) override {
    answer.headers.emplace_back("X-All", "yes");
  }
  void finished(const FinishedRequest& request) override {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(request.status);
    changed_.notify_all();
  }

  std::shared_ptr<Exchange> held() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return !held_.empty(); });
    return held_.empty() ? nullptr : held_.back();
  }
  std::vector<std::shared_ptr<Exchange>> take_held() {
    const std::lock_guard lock(mutex_);
    return std::exchange(held_, {});
  }
  // The status of the request that was over as the `count`th.
  int status(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return statuses_.size() >= count; });
    return statuses_.size() < count ? -1 : statuses_[count - 1];
  }

  std::atomic<int> given_up = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> held_;
  std::vector<int> statuses_;
};

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    if (socket_ < 0) throw std::runtime_error("there is no socket to be had");
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view text) { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void end() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  // All that comes until the server closes the connection.
  std::string read_all() {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) text.append(buffer, n);
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class Http : public testing::Test {
 protected:
  Http() : limits_{.body_bytes = 100'000, .held_bytes = 150'000} {}
  ~Http() override { stop_ticking(); }

  void stop_ticking() {
    ticking_.request_stop();
    if (ticking_.joinable()) ticking_.join();
  }

  void start() {
    const Listener listener = listen_on("127.0.0.1", 0);
    EXPECT_TRUE(listener.loopback);
    port_ = listener.port;
    server_.emplace(listener, TlsFiles{}, limits_, handler_);
    ticking_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        server_->tick();
        std::this_thread::sleep_for(10ms);
      }
    });
  }
  // The answer to one request on a connection of its own.
  std::string ask(const std::string& head, const std::string& body = {}) {
    Client client(port_);
    client.send(head + "\r\nHost: a\r\nConnection: close\r\n\r\n" + body);
    return client.read_all();
  }
  static std::string post(size_t bytes) {
    return "POST /echo HTTP/1.1\r\nContent-Length: " + std::to_string(bytes);
  }

  HttpLimits limits_;
  FakeHandler handler_;
  std::optional<HttpServer> server_;
  int port_ = 0;
  std::jthread ticking_;
};

TEST_F(Http, AnswersNowAndLater) {
  start();
  const std::string echo = ask(post(3), "abc");
  EXPECT_THAT(echo, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(echo, HasSubstr("X-All: yes"));
  EXPECT_THAT(echo, HasSubstr("X-Request-Id: "));
  EXPECT_TRUE(echo.ends_with("\r\n\r\nabc"));
  Client client(port_);
  client.send(
      "GET /later HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\nConnection: close\r\n\r\n");
  const auto exchange = handler_.held();
  ASSERT_NE(exchange, nullptr);
  EXPECT_THAT(ask("GET / HTTP/1.1"), StartsWith("HTTP/1.1 200")) << "others do not wait";
  exchange->answer({.status = 201, .body = "done"});
  exchange->answer({.status = 500, .body = "too late"});
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: mine-1"));
  EXPECT_TRUE(answer.ends_with("done"));
}

TEST_F(Http, WhatIsThrownHurtsNoOtherAndTellsNothing) {
  start();
  const std::string answer = ask("GET /throw HTTP/1.1\r\nX-Request-Id: mine");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, HasSubstr("mine"));
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  EXPECT_THAT(ask("GET / HTTP/1.1"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, BodiesThatAreTooLarge) {
  start();
  const std::string most(100'000, 'a');
  EXPECT_THAT(ask(post(most.size()), most), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(post(most.size() + 1), most + "a"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 999999999999"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(post(200'000) + "\r\nExpect: 100-continue"), StartsWith("HTTP/1.1 413"));
  std::string chunks;
  for (int i = 0; i < 11; ++i) chunks += "2710\r\n" + std::string(10'000, 'a') + "\r\n";
  const std::string chunked = "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked";
  EXPECT_THAT(ask(chunked, chunks + "0\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(chunked, "3\r\nabc\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("POST /forbidden HTTP/1.1\r\nContent-Length: 3", "abc"),
              StartsWith("HTTP/1.1 403"));
}

TEST_F(Http, BodiesTogetherAreBounded) {
  start();
  Client first(port_);
  first.send(post(100'000) + "\r\nHost: a\r\nConnection: close\r\n\r\n" + std::string(99'999, 'a'));
  const auto asked_until =
      [&](std::string_view status) {  // the others' bytes come and go meanwhile
        std::string answer;
        for (int i = 0; i < 500 && !answer.starts_with(status); ++i) {
          answer = ask(post(90'000), std::string(90'000, 'b'));
          std::this_thread::sleep_for(10ms);
        }
        return answer;
      };
  const std::string second = asked_until("HTTP/1.1 503");
  EXPECT_THAT(second, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(second, HasSubstr("Retry-After"));
  first.send("a");
  EXPECT_THAT(first.read_all(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(asked_until("HTTP/1.1 200"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, GarbageAndLongHeadersAreRefused) {
  start();
  Client garbage(port_);
  garbage.send("\x16\x03\x01\x02 \xFF\r\n\r\n");
  const std::string answer = garbage.read_all();
  EXPECT_TRUE(answer.empty() || answer.find(" 400 ") != answer.npos) << answer;
  const std::string too_long = ask("GET / HTTP/1.1\r\nX-Long: " + std::string(100'000, 'a'));
  EXPECT_TRUE(too_long.empty() || too_long.find(" 431 ") != too_long.npos ||
              too_long.find(" 413 ") != too_long.npos)
      << too_long;
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: -1"), HasSubstr(" 400 "));
  EXPECT_THAT(
      ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
      HasSubstr(" 400 "));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", "0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: b"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /forbidden%00 HTTP/1.1"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4", "abcd"),
              HasSubstr(" 400 "));
  EXPECT_THAT(ask("GET / HTTP/1.1"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, SlowRequestsEnd) {
  limits_.receive = limits_.upload = 1s;
  start();
  const auto begin = std::chrono::steady_clock::now();
  Client headers(port_), body(port_);
  headers.send("GET / HTTP/1.1\r\nHost: a\r\n");
  body.send(post(10) + "\r\nHost: a\r\n\r\na");
  std::jthread drip([&](const std::stop_token& stop) {  // never idle, never done
    while (!stop.stop_requested()) {
      headers.send("X-A: b\r\n");
      std::this_thread::sleep_for(50ms);
    }
  });
  headers.read_all();
  body.read_all();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_THAT(ask("GET / HTTP/1.1"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, AClientThatLeftIsNoticed) {
  start();
  {
    Client client(port_);
    client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_NE(handler_.held(), nullptr);
  }
  EXPECT_EQ(handler_.status(1), 499);
  EXPECT_EQ(handler_.given_up, 1);
  EXPECT_TRUE(handler_.held()->is_over());
}

TEST_F(Http, AClientThatLeavesHalfwayIsLetGo) {
  start();
  for (const std::string& part : {std::string("GET / HT"), post(10) + "\r\nHost: a\r\n\r\nabc"}) {
    Client client(port_);
    client.send(part);
    while (server_->connections() == 0) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(50ms);
    client.close();
    const auto begin = std::chrono::steady_clock::now();
    while (server_->connections() > 0 && std::chrono::steady_clock::now() - begin < 5s) {
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(server_->connections(), 0U) << part;
  }
}

// For the thread sanitizer, too: connections, the thread that answers, tick() and drain() meet.
TEST_F(Http, OfManyClientsAtOnceNoneIsLost) {
  constexpr int kClients = 8, kRequests = 40;
  start();
  std::jthread model([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const auto& exchange : handler_.take_held()) exchange->answer({.body = "done"});
      std::this_thread::sleep_for(1ms);
    }
  });
  std::atomic<int> answered = 0, left = 0;
  {
    std::vector<std::jthread> clients;
    for (int c = 0; c < kClients; ++c) {
      clients.emplace_back([&, c] {
        for (int i = 0; i < kRequests; ++i) {
          if ((c + i) % 4 == 0) {
            Client(port_).send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
            ++left;
          } else if ((c + i) % 4 == 1) {
            answered += ask(post(5000), std::string(5000, 'a')).ends_with("aaa") ? 1 : 0;
          } else {
            answered += ask("GET /later HTTP/1.1").ends_with("done") ? 1 : 0;
          }
        }
      });
    }
  }
  EXPECT_EQ(answered, kClients * kRequests - left);
  EXPECT_NE(handler_.status(kClients * kRequests), -1) << "a request is not over";
  server_->drain(10s);
}

TEST_F(Http, WhatTakesTooLongTimesOut) {
  limits_.deadline = 1s;
  start();
  EXPECT_THAT(ask("GET /never HTTP/1.1"), StartsWith("HTTP/1.1 504"));
  EXPECT_EQ(handler_.given_up, 1);
}

TEST_F(Http, ConnectionsOfOneAddressAreBounded) {
  limits_.connections_per_address = 4;
  start();
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(std::make_unique<Client>(port_));
    idle.back()->send("G");
  }
  while (server_->connections() < 4) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ask("GET / HTTP/1.1"), "");
  idle.clear();
  while (server_->connections() > 0) std::this_thread::sleep_for(5ms);
  EXPECT_THAT(ask("GET / HTTP/1.1"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, DrainsWhatIsUnderWayAndTakesNoMore) {
  start();
  Client client(port_);
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto exchange = handler_.held();
  ASSERT_NE(exchange, nullptr);
  std::jthread draining([&] { server_->drain(30s); });
  while (Client(port_).connected()) std::this_thread::sleep_for(5ms);
  exchange->answer({.body = "done"});
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.ends_with("done")) << answer;
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(Http, WhatIsNotDoneInTimeIsToldSo) {
  start();
  Client client(port_);
  client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_NE(handler_.held(), nullptr);
  stop_ticking();
  server_->drain(0s);
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 503"));
}

TEST(Listener, SaysWhatIsInTheWay) {
  const Listener first = listen_on("127.0.0.1", 0);
  const auto why = [](const std::string& host, int64_t port) {
    try {
      ::close(listen_on(host, port).socket);
    } catch (const Error& error) {
      return error.what() + (" | " + error.hint());
    }
    return std::string();
  };
  EXPECT_THAT(why("127.0.0.1", first.port), HasSubstr("in use | set `port`"));
  EXPECT_THAT(why("no.such.host.invalid", 0), HasSubstr("cannot listen on no.such.host.invalid"));
  EXPECT_THAT(why("192.0.2.1", 0), HasSubstr("set `host` to an address of this machine"));
  const Listener all = listen_on("0.0.0.0", 0);
  EXPECT_FALSE(all.loopback);
  ::close(first.socket);
  ::close(all.socket);
}

}  // namespace
}  // namespace tagclip
