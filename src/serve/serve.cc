#include "serve/serve.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/console.h"
#include "base/error.h"
#include "base/files.h"
#include "serve/http/listener.h"
#include "serve/routes.h"

namespace tagclip {
namespace {

constexpr uint64_t kMaxPemBytes = uint64_t{1} << 20;
constexpr std::chrono::milliseconds kLastStep{500};

TlsFiles read_tls(const ServeOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    throw usage_error("`tls_cert` and `tls_key` go together", "name both files, or none");
  }
  if (options.tls_cert.empty()) return {};
  return {read_text(options.tls_cert, kMaxPemBytes), read_text(options.tls_key, kMaxPemBytes)};
}

ApiKeys read_keys(const ServeOptions& options) {
  if (options.api_key_file.empty()) return {};
  if (options.no_auth) {
    throw usage_error("`api_key_file` asks for keys, `no_auth` for none", "leave one of them out");
  }
  return ApiKeys(options.api_key_file);
}

HttpLimits limits_of(const ServeOptions& options) {
  const auto body = static_cast<size_t>(options.max_body_mb) << 20;
  return {.body_bytes = body,
          .held_bytes = std::max(body * 4, size_t{256} << 20),
          .connections = options.connections,
          .connections_per_address = options.connections_per_address,
          .deadline = std::chrono::seconds(options.deadline)};
}

// An IPv6 address stands between brackets in a URL.
std::string url_of(const ServeOptions& options, int port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", options.tls_cert.empty() ? "http" : "https", ipv6 ? "[" : "",
                     options.host, ipv6 ? "]" : "", port);
}

// Refuses to let everybody in by accident.
void check_reach(const ServeOptions& options, const Listener& listener) {
  if (listener.loopback || options.no_auth || !options.api_key_file.empty()) return;
  throw usage_error(
      fmt::format("other machines reach {}, and everybody would be let in", options.host),
      "set `api_key_file` to a file of keys, or `no_auth` if that is meant");
}

// Serves until the user or the system asks to stop.
void serve(Engine& engine, HttpServer& server, Console& console, RequestLog& log) {
  constexpr std::chrono::milliseconds kTick{100};
  const auto begin = std::chrono::steady_clock::now();
  bool announced = false;
  while (!console.stop_requested()) {
    engine.rethrow_failure();
    if (engine.is_ready() && !announced) {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
      log.note(fmt::format("ready after {:.1f} s; Ctrl-C ends it", passed.count()));
      announced = true;
    }
    server.tick();
    engine.expire();
    std::this_thread::sleep_for(kTick);
  }
}

}  // namespace
}  // namespace tagclip

const char* tagclip_interface() { return TAGCLIP_INTERFACE; }

int tagclip_serve(const tagclip::ServeOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  std::signal(SIGPIPE, SIG_IGN);  // a client that left is no reason to end
  fields(options).check();
  const TlsFiles tls = read_tls(options);
  ApiKeys keys = read_keys(options);
  const Listener listener = listen_on(options.host, options.port);
  check_reach(options, listener);

  Metrics metrics;
  RequestLog log(console, options.log);
  Engine engine(options, metrics, log);
  Routes routes(options, std::move(keys), engine, metrics, log);
  HttpServer server(listener, tls, limits_of(options), routes);
  routes.count_connections([&] { return server.connections(); });
  console.print(url_of(options, listener.port));
  log.note(fmt::format("{}: loading {}", options.no_page ? "no page" : "a page and an API",
                       options.weights.string()));
  engine.start();
  serve(engine, server, console, log);

  log.note(engine.is_ready() ? "stopping: requests under way are answered, new ones refused"
                             : "stopping");
  routes.drain();
  server.drain(std::chrono::seconds(engine.is_ready() ? options.deadline : 0));
  // Nobody waits for what the model does now. A step that takes long, such as reading weights, is
  // not waited for either: it leaves nothing to be put in order.
  if (!engine.ends_within(kLastStep)) std::_Exit(0);
  return 0;
}
