#pragma once

#include <mutex>
#include <string>

#include "base/console.h"
#include "serve/http/server.h"
#include "serve/serve.h"
#include "tagclip/options.h"

namespace tagclip {

// The console of a server, which several threads write to: a line per request, and what goes wrong.
class RequestLog {
 public:
  RequestLog(Console& console, LogFormat format) : console_(console), format_(format) {}

  void request(const FinishedRequest& request);
  // Why a request failed that was no fault of its client.
  void fault(const std::string& request_id, const std::string& what);
  void note(const std::string& text);
  void warn(const std::string& text);
  Hooks hooks();

 private:
  Console& console_;
  const LogFormat format_;
  std::mutex mutex_;  // guards the console
};

}  // namespace tagclip
