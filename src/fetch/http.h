#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "base/console.h"

namespace tagclip {

struct HttpRequest {
  std::string url;
  int64_t offset = 0;     // bytes that are there already
  std::string validator;  // what the server said of those bytes (If-Range); may be empty
  int timeout = 30;       // seconds with less than 1000 bytes each that end the transfer
};

// The headers that the server sends before the body.
struct HttpHead {
  int64_t first = 0;             // which byte of the file the body begins with; -1: not told
  std::optional<int64_t> total;  // bytes of the whole file
  std::string validator;         // a strong ETag, else Last-Modified, else empty
  std::string content_type;
};

// Takes a response of 200 or 206. What it throws ends the transfer and reaches the caller.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  virtual void begin(const HttpHead& head) = 0;
  virtual void receive(std::span<const std::byte> bytes) = 0;
};

// A failure that another try may not meet: a broken connection, a busy server.
class TransferFailed : public std::runtime_error {
 public:
  explicit TransferFailed(const std::string& reason, bool restart = false)
      : std::runtime_error(reason), restart_(restart) {}

  // True if the bytes that are there are of no use.
  bool restart() const { return restart_; }

 private:
  bool restart_;
};

// The protocols that a redirect from `url` may lead to, as libcurl lists them: what began encrypted
// stays so.
const char* redirect_protocols(const std::string& url);

// GET. Follows at most 5 redirects, to `redirect_protocols` only.
// Throws TransferFailed; Stopped; Error(kFailure) for what another try would meet again.
void http_get(const HttpRequest& request, HttpReceiver& receiver, const Console& console);

}  // namespace tagclip
