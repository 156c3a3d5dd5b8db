#include "fetch/http.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <exception>

#include "base/error.h"
#include "fetch/cache.h"
#include "fetch/table.h"
#include "http/curl_handle.h"

namespace tagclip {
namespace {

constexpr long kMaxRedirects = 5;
constexpr long kSlowestBytesPerSecond = 1000;
constexpr const char* kElsewhere =
    "`mirror` names another address, `from` takes a file that you have";

// "bytes 100-199/200" → 100 and 200.
void read_content_range(std::string_view text, HttpHead& head) {
  const size_t digits = text.find_first_of("0123456789"), slash = text.find('/');
  if (digits == text.npos || slash == text.npos) return;
  std::from_chars(text.data() + digits, text.data() + text.size(), head.first);
  int64_t total = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + slash + 1, end, total).ec == std::errc()) head.total = total;
}

// One request, the redirects that it meets, and the response.
class Exchange {
 public:
  Exchange(const HttpRequest& request, HttpReceiver& receiver, const Console& console)
      : request_(request), receiver_(receiver), console_(console), curl_(new_curl_handle()) {
    set_up();
  }

  void run() {
    const CURLcode code = curl_easy_perform(curl_.get());
    if (thrown_) std::rethrow_exception(thrown_);
    if (console_.stop_requested()) throw Stopped();
    if (status_ >= 400) reject_status();
    if (code != CURLE_OK) reject(code);
    if (!is_body()) throw failure(answered(), kElsewhere);
    begin_once();
  }

 private:
  void set_up() {
    CURL* curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, redirect_protocols(request_.url));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, long{request_.timeout});
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, long{request_.timeout});
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    if (request_.offset == 0) return;
    curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", request_.offset).c_str());
    if (request_.validator.empty()) return;
    headers_.reset(curl_slist_append(nullptr, ("If-Range: " + request_.validator).c_str()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  }

  static size_t on_header(char* data, size_t, size_t size, void* self) {
    static_cast<Exchange*>(self)->take_header({data, size});
    return size;
  }
  static size_t on_body(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->take_body(std::as_bytes(std::span(data, size))) ? size : 0;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->console_.stop_requested();
  }

  void take_header(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // also after a redirect or a "100 Continue"
      curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
      head_ = {.first = status_ == 206 ? -1 : 0};
      return;
    }
    const size_t colon = line.find(':');
    if (colon == line.npos) return;
    const std::string name(line.substr(0, colon));
    line.remove_prefix(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
    const auto is = [&](const char* other) { return ::strcasecmp(name.c_str(), other) == 0; };
    if (is("Content-Range") && status_ == 206) read_content_range(line, head_);
    if (is("Content-Type")) head_.content_type = line;
    // A weak ETag does not promise the same bytes.
    if (is("ETag") && line.starts_with('"')) head_.validator = line;
    if (is("Last-Modified") && head_.validator.empty()) head_.validator = line;
  }

  // Exceptions must not pass through libcurl.
  bool take_body(std::span<const std::byte> bytes) {
    if (!is_body()) return false;
    try {
      begin_once();
      receiver_.receive(bytes);
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  bool is_body() const { return status_ == 200 || status_ == 206; }

  void begin_once() {
    if (begun_) return;
    begun_ = true;
    curl_off_t length = -1;
    curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (status_ == 200 && length >= 0) head_.total = length;
    receiver_.begin(head_);
  }

  [[noreturn]] void reject_status() const {
    if (status_ == 416) throw TransferFailed(shown() + ": the server has no such range", true);
    if (status_ >= 500 || status_ == 408 || status_ == 429) throw TransferFailed(answered());
    const bool gone = status_ == 404 || status_ == 410;
    throw failure(answered() + (gone ? " (there is no such file)" : ""), kElsewhere);
  }

  [[noreturn]] void reject(CURLcode code) const {
    const std::string what = shown() + ": " + reason(code);
    switch (code) {
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
        throw failure(what,
                      "the package ca-certificates may be missing; a proxy may stand between");
      case CURLE_TOO_MANY_REDIRECTS:
      case CURLE_UNSUPPORTED_PROTOCOL:
        throw failure(what, kElsewhere);
      default:
        throw TransferFailed(what);
    }
  }

  std::string reason(CURLcode code) const {
    if (code == CURLE_PARTIAL_FILE) return "the connection broke off";
    if (code == CURLE_TOO_MANY_REDIRECTS) {
      return fmt::format("the server sends from one address to the next, more than {} times",
                         kMaxRedirects);
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL) {
      return fmt::format("the server points to an address of another protocol than {}: {}",
                         redirect_protocols(request_.url), error_);
    }
    if (code == CURLE_OPERATION_TIMEDOUT && begun_) {
      return fmt::format("too slow: next to nothing came for {} s", request_.timeout);
    }
    return *error_ == '\0' ? curl_easy_strerror(code) : error_;
  }

  std::string answered() const {
    return fmt::format("{}: the server answered {}", shown(), status_);
  }

  std::string shown() const { return without_secrets(request_.url); }

  const HttpRequest& request_;
  HttpReceiver& receiver_;
  const Console& console_;
  CurlHandle curl_;
  CurlList headers_;
  char error_[CURL_ERROR_SIZE] = "";
  long status_ = 0;
  HttpHead head_;
  bool begun_ = false;
  std::exception_ptr thrown_;
};

}  // namespace

const char* redirect_protocols(const std::string& url) {
  return url.starts_with("https://") ? "https" : "http,https";
}

void http_get(const HttpRequest& request, HttpReceiver& receiver, const Console& console) {
  Exchange(request, receiver, console).run();
}

}  // namespace tagclip
