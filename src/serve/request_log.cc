#include "serve/request_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/text.h"

namespace tagclip {
namespace {

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto since = time.time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)), milliseconds % 1000);
}

}  // namespace

void RequestLog::request(const FinishedRequest& done) {
  if (format_ == LogFormat::kNone) return;
  constexpr size_t kLongestPath = 100;
  const int status = done.status == 0 ? 499 : done.status;
  const std::string path = one_line(done.request.path, kLongestPath);
  const double milliseconds = std::round(done.seconds * 1e4) / 10;
  if (format_ == LogFormat::kText) {
    note(fmt::format("{} {} {} {} {} {} ms, {} bytes in, {} out, {}", now(), done.request.client,
                     one_line(done.request.method, kLongestPath), path, status, milliseconds,
                     done.received, done.sent, done.request.id));
    return;
  }
  note(json_text({{"time", now()},
                  {"id", done.request.id},
                  {"client", done.request.client},
                  {"method", one_line(done.request.method, kLongestPath)},
                  {"path", path},
                  {"status", status},
                  {"milliseconds", milliseconds},
                  {"bytes_in", done.received},
                  {"bytes_out", done.sent}}));
}

void RequestLog::fault(const std::string& request_id, const std::string& what) {
  if (format_ == LogFormat::kJson) {
    note(json_text({{"time", now()}, {"id", request_id}, {"error", one_line(what)}}));
  } else {
    warn(fmt::format("{} {}: {}", now(), request_id, one_line(what)));
  }
}

void RequestLog::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  console_.note(text);
}

void RequestLog::warn(const std::string& text) {
  const std::lock_guard lock(mutex_);
  console_.warn(text);
}

Hooks RequestLog::hooks() {
  return {.progress =
              [this](const std::string& what, int64_t done, int64_t total) {
                const std::lock_guard lock(mutex_);
                console_.progress(what, done, total);
              },
          .stop_requested = [this] { return console_.stop_requested(); },
          .note = [this](const std::string& text) { note(text); },
          .warn = [this](const std::string& text) { warn(text); }};
}

}  // namespace tagclip
