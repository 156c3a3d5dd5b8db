#include "fetch/http.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>

#include "base/error.h"
#include "fetch/address.h"
#include "fetch/interruption.h"

namespace tagclip {
namespace {

constexpr int kMaxRedirects = 5;
constexpr long kSlowestBytesPerSecond = 1000;
constexpr size_t kMaxHeaderBytes = size_t{256} << 10;
constexpr const char* kElsewhere =
    "--mirror names another address, --from takes a file that you have";

struct CurlCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// "bytes 100-199/200" → 100 and 200.
void read_content_range(std::string_view text, HttpHead& head) {
  const size_t digits = text.find_first_of("0123456789"), slash = text.find('/');
  if (digits == text.npos || slash == text.npos) return;
  std::from_chars(text.data() + digits, text.data() + text.size(), head.first);
  int64_t total = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + slash + 1, end, total).ec == std::errc()) head.total = total;
}

// One request and its response; a redirect needs another one.
class Exchange {
 public:
  Exchange(const HttpRequest& request, const std::string& url, HttpReceiver& receiver,
           const Console& console)
      : url_(url),
        timeout_(request.timeout),
        receiver_(receiver),
        console_(console),
        curl_(curl_easy_init()) {
    TAGCLIP_CHECK(curl_ != nullptr, "libcurl does not start");
    set_up(request);
  }

  // The address to go on at, empty when the body was received.
  std::string run() {
    const CURLcode code = curl_easy_perform(curl_.get());
    if (thrown_) std::rethrow_exception(thrown_);
    if (console_.stop_requested()) throw Stopped{};
    if (header_bytes_ > kMaxHeaderBytes)
      throw failure(shown() + ": the answer has no end of headers");
    if (status_ / 100 == 3) return redirect();
    if (status_ / 100 > 3) reject_status();
    if (code != CURLE_OK) reject(code);
    if (!is_body())
      throw failure(fmt::format("{}: the server answered {}", shown(), status_), kElsewhere);
    begin_once();
    return {};
  }

 private:
  void set_up(const HttpRequest& request) {
    CURL* curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tagclip");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, long{request.timeout});
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, long{request.timeout});
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    if (request.offset == 0) return;
    curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", request.offset).c_str());
    if (request.validator.empty()) return;
    headers_.reset(curl_slist_append(nullptr, ("If-Range: " + request.validator).c_str()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  }

  static size_t on_header(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->take_header({data, size}) ? size : 0;
  }
  static size_t on_body(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->take_body(std::as_bytes(std::span(data, size))) ? size : 0;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->console_.stop_requested();
  }

  bool take_header(std::string_view line) {
    header_bytes_ += line.size();
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // after a proxy's answer, or a "100 Continue"
      curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
      head_ = {.first = status_ == 206 ? -1 : 0};
      return true;
    }
    const size_t colon = line.find(':');
    if (colon == line.npos) return header_bytes_ <= kMaxHeaderBytes;
    const std::string name(line.substr(0, colon));
    line.remove_prefix(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
    const auto is = [&](const char* other) { return ::strcasecmp(name.c_str(), other) == 0; };
    if (is("Content-Range") && status_ == 206) read_content_range(line, head_);
    if (is("Content-Type")) head_.content_type = line;
    // A weak ETag does not promise the same bytes.
    if (is("ETag") && line.starts_with('"')) head_.validator = line;
    if (is("Last-Modified") && head_.validator.empty()) head_.validator = line;
    return header_bytes_ <= kMaxHeaderBytes;
  }

  // Nothing may be thrown through libcurl.
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

  std::string redirect() const {
    const char* next = nullptr;
    curl_easy_getinfo(curl_.get(), CURLINFO_REDIRECT_URL, &next);
    const std::string to = next == nullptr ? "" : next;
    if (const std::string reason = why_not_follow(url_, to); !reason.empty()) {
      throw failure(
          fmt::format("{}: the server points to '{}', {}", shown(), printable(to), reason),
          kElsewhere);
    }
    return to;
  }

  [[noreturn]] void reject_status() const {
    if (status_ == 416) throw TransferFailed{shown() + ": the server has no such range", true};
    const std::string what = fmt::format("{}: the server answered {}", shown(), status_);
    if (status_ >= 500 || status_ == 408 || status_ == 429) throw TransferFailed{what};
    const bool gone = status_ == 404 || status_ == 410;
    throw failure(what + (gone ? " (there is no such file)" : ""), kElsewhere);
  }

  [[noreturn]] void reject(CURLcode code) const {
    const std::string what = shown() + ": " + reason(code);
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
      throw failure(what, "the package ca-certificates may be missing; a proxy may stand between");
    }
    throw TransferFailed{what};
  }

  std::string reason(CURLcode code) const {
    if (code == CURLE_PARTIAL_FILE) return "the connection broke off";
    if (code == CURLE_OPERATION_TIMEDOUT && begun_) {
      return fmt::format("too slow: next to nothing came for {} s", timeout_);
    }
    return *error_ == '\0' ? curl_easy_strerror(code) : error_;
  }

  std::string shown() const { return printable(url_); }

  const std::string url_;
  const int timeout_;
  HttpReceiver& receiver_;
  const Console& console_;
  std::unique_ptr<CURL, CurlCloser> curl_;
  std::unique_ptr<curl_slist, CurlCloser> headers_;
  char error_[CURL_ERROR_SIZE] = "";
  long status_ = 0;
  size_t header_bytes_ = 0;
  HttpHead head_;
  bool begun_ = false;
  std::exception_ptr thrown_;
};

}  // namespace

void http_get(const HttpRequest& request, HttpReceiver& receiver, const Console& console) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  TAGCLIP_CHECK(ready == CURLE_OK, "libcurl does not start");
  std::string url = request.url;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    url = Exchange(request, url, receiver, console).run();
    if (url.empty()) return;
  }
  throw failure(fmt::format("{}: the server sends from one address to the next, more than {} times",
                            printable(request.url), kMaxRedirects),
                kElsewhere);
}

}  // namespace tagclip
