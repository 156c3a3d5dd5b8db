#include "serve/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace tagclip {
namespace {

constexpr const char* kPagePolicy =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr const char* kDataPolicy = "default-src 'none'; frame-ancestors 'none'";

// HEAD is GET without the body, which libmicrohttpd leaves out.
const std::string& method_of(const ClientRequest& request) {
  static const std::string kGet = "GET";
  return request.method == "HEAD" ? kGet : request.method;
}

RequestLimits limits_of(const ServeOptions& options, const Engine& engine) {
  return {.classes = static_cast<size_t>(options.max_classes),
          .word_bytes = static_cast<size_t>(options.max_word_bytes),
          .pixels = options.inference.max_pixels,
          .windows = static_cast<size_t>(options.max_windows),
          .windows_of = [&engine](int width, int height) {
            return engine.count_windows(width, height);
          }};
}

std::optional<Answer> unknown_coding(const ClientRequest& request) {
  const std::string* coding = request.header("content-encoding");
  if (coding == nullptr || *coding == "identity") return {};
  Answer answer = refusal(415, "bad_input", "the body is compressed",
                          "send it as it is: photos are compressed already");
  answer.headers.emplace_back("Accept-Encoding", "identity");
  return answer;
}

}  // namespace

Routes::Routes(const ServeOptions& options, ApiKeys keys, Engine& engine, Metrics& metrics,
               RequestLog& log)
    : options_(options),
      keys_(std::move(keys)),
      limits_(limits_of(options, engine)),
      files_(!options.no_page),
      engine_(engine),
      metrics_(metrics),
      log_(log),
      label_studio_(LabelStudio::start(options, limits_, engine, metrics, log)),
      routes_({{"/healthz", {"GET"}, /*is_open=*/true, /*needs_model=*/false, &Routes::health},
               {"/readyz", {"GET"}, true, false, &Routes::readiness},
               {"/metrics", {"GET"}, false, false, &Routes::metrics},
               {"/v1/models", {"GET"}, false, true, &Routes::models},
               {"/v1/encodings", {"POST"}, false, true, &Routes::encode},
               {"/v1/encodings/", {"DELETE"}, false, true, &Routes::forget_encoding},
               {"/v1/segment", {"POST"}, false, true, &Routes::segment},
               {"/health", {"GET"}, false, true, &Routes::label_studio_health, true},
               {"/setup", {"POST"}, false, true, &Routes::label_studio_setup, true},
               {"/validate", {"POST"}, false, true, &Routes::label_studio_validate, true},
               {"/versions", {"GET"}, false, true, &Routes::label_studio_versions, true},
               {"/webhook", {"POST"}, false, true, &Routes::label_studio_webhook, true},
               {"/predict", {"POST"}, false, true, &Routes::label_studio_predict, true}}),
      file_route_{"/", {"GET"}, true, false, &Routes::file} {}

const Routes::Route* Routes::find(const std::string& path) const {
  for (const Route& route : routes_) {
    const bool same = route.path.ends_with('/')
                          ? path.starts_with(route.path) && path.size() > route.path.size()
                          : path == route.path;
    if (same) return &route;
  }
  return files_.contains(path) ? &file_route_ : nullptr;
}

bool Routes::is_foreign_friend(const std::string& origin) const {
  return std::ranges::find(options_.cors_origin, origin) != options_.cors_origin.end();
}

// Pages of other origins may not use a visitor's way to this server.
std::optional<Answer> Routes::check_origin(const ClientRequest& request) const {
  const std::string* host = request.header("host");
  if (host == nullptr || !host_is_ours(*host, options_.allow_host)) {
    return refusal(
        403, "forbidden",
        fmt::format("the server is not known as {}", in_quotes(host == nullptr ? "" : *host)),
        "its operator can name it: tagclip serve --allow-host NAME");
  }
  const std::string* origin = request.header("origin");
  if (origin == nullptr || is_same_origin(*origin, *host) || is_foreign_friend(*origin)) return {};
  return refusal(403, "forbidden",
                 fmt::format("pages of {} may not call this server", in_quotes(*origin)),
                 "its operator can let them: tagclip serve --cors-origin ORIGIN");
}

std::optional<Answer> Routes::admit(const ClientRequest& request) {
  if (auto refused = check_origin(request)) return refused;
  const Route* route = find(request.path);
  if (route == nullptr) {
    return refusal(404, "not_found", fmt::format("there is no {}", in_quotes(request.path)),
                   "GET /openapi.json describes what there is");
  }
  const bool is_preflight = request.method == "OPTIONS" && request.header("origin") != nullptr;
  if (is_preflight) return {};  // it comes without a key
  if (std::ranges::find(route->methods, method_of(request)) == route->methods.end()) {
    const std::string methods = fmt::format("{}", fmt::join(route->methods, ", "));
    Answer answer =
        refusal(405, "method_not_allowed", fmt::format("{} takes {}", route->path, methods));
    answer.headers.emplace_back("Allow", methods);
    return answer;
  }
  if (route->is_for_label_studio && label_studio_ == nullptr) {
    return refusal(404, "not_found", "the server has no Label Studio",
                   "its operator can name it: tagclip serve --label-studio-url URL");
  }
  const std::string* key = request.header("authorization");
  if (!route->is_open && !keys_.let_in(key == nullptr ? "" : *key)) {
    Answer answer = refusal(401, "unauthorized", "an API key is needed",
                            "send it as Authorization: Bearer KEY");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
  }
  if (route->needs_model && !engine_.is_ready()) {
    return refusal(503, "not_ready", "the model is being loaded", "ask again in a moment");
  }
  if (auto refused = unknown_coding(request)) return refused;
  if (request.method == "POST" && engine_.is_full()) {
    return refusal(429, "busy", fmt::format("{} requests wait already", options_.queue),
                   "wait as Retry-After says, then send it again");
  }
  return {};
}

void Routes::handle(const std::shared_ptr<Exchange>& exchange) {
  const ClientRequest& request = exchange->request();
  const Route& route = *find(request.path);
  if (request.method == "OPTIONS") {
    exchange->answer({.status = 204,
                      .headers = {{"Access-Control-Allow-Methods",
                                   fmt::format("{}", fmt::join(route.methods, ", "))},
                                  {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
                                  {"Access-Control-Max-Age", "600"}}});
    return;
  }
  try {
    (this->*route.answer)(exchange);
  } catch (const RefusedRequest& error) {
    exchange->answer(refusal(error.status, error.name, error.what(), error.hint()));
  }
}

void Routes::complete(const ClientRequest& request, Answer& answer) {
  const bool is_page = answer.type.starts_with("text/html");
  auto& headers = answer.headers;
  headers.emplace_back("Content-Security-Policy", is_page ? kPagePolicy : kDataPolicy);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("X-Frame-Options", "DENY");
  headers.emplace_back("Referrer-Policy", "no-referrer");
  headers.emplace_back("Permissions-Policy", "camera=(self), microphone=(), geolocation=()");
  headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  const std::string* origin = request.header("origin");
  const bool shared = origin != nullptr && is_foreign_friend(*origin);
  headers.emplace_back("Cross-Origin-Resource-Policy", shared ? "cross-origin" : "same-origin");
  if (shared) headers.emplace_back("Access-Control-Allow-Origin", *origin);
  if (!options_.cors_origin.empty()) headers.emplace_back("Vary", "Origin");
  const bool cached = std::ranges::any_of(
      headers, [](const auto& header) { return header.first == "Cache-Control"; });
  if (!cached) headers.emplace_back("Cache-Control", "no-store");
}

void Routes::finished(const FinishedRequest& done) {
  const Route* route = find(done.request.path);
  metrics_.count_request(route == nullptr ? "other" : route->path,
                         done.status == 0 ? 499 : done.status, done.seconds);
  log_.request(done);
}

void Routes::health(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer({.body = "{\"status\":\"up\"}\n"});
}

void Routes::readiness(const std::shared_ptr<Exchange>& exchange) {
  if (!draining_ && engine_.is_ready())
    return exchange->answer({.body = "{\"status\":\"ready\"}\n"});
  exchange->answer(refusal(503, "not_ready",
                           draining_ ? "the server is going down" : "the model is being loaded"));
}

void Routes::metrics(const std::shared_ptr<Exchange>& exchange) {
  ServerGauges gauges{.connections = connections_()};
  engine_.fill(gauges);
  gauges.ready = gauges.ready && !draining_;
  exchange->answer(
      {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.text(gauges)});
}

void Routes::models(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer({.body = engine_.description()});
}

void Routes::encode(const std::shared_ptr<Exchange>& exchange) {
  engine_.submit(
      {.exchange = exchange, .photo = read_encoding_request(exchange->request(), limits_)});
}

void Routes::forget_encoding(const std::shared_ptr<Exchange>& exchange) {
  constexpr std::string_view kPrefix = "/v1/encodings/";
  if (engine_.forget(exchange->request().path.substr(kPrefix.size()))) {
    return exchange->answer({.status = 204});
  }
  exchange->answer(refusal(404, "not_found", "there is no encoding of this id, or not any more"));
}

void Routes::segment(const std::shared_ptr<Exchange>& exchange) {
  ModelJob job{.exchange = exchange};
  job.segment = read_segment_request(exchange->request(), options_.inference, limits_);
  job.photo = std::move(job.segment->photo);
  engine_.submit(std::move(job));
}

void Routes::file(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(files_.answer(exchange->request()));
}

void Routes::label_studio_health(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(label_studio_->health());
}

void Routes::label_studio_setup(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(label_studio_->setup(exchange->request()));
}

void Routes::label_studio_validate(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(label_studio_->validate(exchange->request()));
}

void Routes::label_studio_versions(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(label_studio_->versions());
}

void Routes::label_studio_webhook(const std::shared_ptr<Exchange>& exchange) {
  exchange->answer(label_studio_->webhook(exchange->request()));
}

void Routes::label_studio_predict(const std::shared_ptr<Exchange>& exchange) {
  label_studio_->predict(exchange);
}

}  // namespace tagclip
