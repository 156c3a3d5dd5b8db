#include "serve/label_studio/picture_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/base64.h"
#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "http/curl_handle.h"
#include "serve/http/message.h"
#include "serve/segment/segment_request.h"

namespace tagclip {
namespace {

using Clock = std::chrono::system_clock;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kConnect{5};
// Access tokens are renewed that long before they end, at half of their time where it is short.
constexpr Clock::duration kMargin = std::chrono::seconds(30);
constexpr Clock::duration kUnknownLife = std::chrono::seconds(60);  // of those that do not tell
constexpr int kMaxRedirects = 5;
constexpr size_t kMaxTokenBytes = size_t{64} << 10;

// The part of a JSON Web Token at `index`, decoded; nothing where the text is none.
std::optional<nlohmann::json> part_of_token(const std::string& token, int index) {
  if (std::ranges::count(token, '.') != 2) return {};
  std::string_view part = token;
  for (int i = 0; i < index; ++i) part.remove_prefix(part.find('.') + 1);
  std::string digits(part.substr(0, part.find('.')));
  std::ranges::replace(digits, '-', '+');
  std::ranges::replace(digits, '_', '/');
  while (digits.size() % 4 != 0) digits += '=';
  const std::optional<std::string> text = from_base64(digits);
  if (!text) return {};
  std::optional<nlohmann::json> json = parse_bounded_json(*text, kMaxTokenBytes);
  return json && json->is_object() ? json : std::nullopt;
}

RefusedRequest refused_key(KeyKind kind, const std::string& what) {
  return {502, "upstream", what,
          kind == KeyKind::kLegacy
              ? "legacy tokens may be switched off there: make a personal access token in Label "
                "Studio, Account & Settings, and put it into the file of --label-studio-key-file"
              : "it may have ended or been revoked: make another personal access token in Label "
                "Studio, Account & Settings, and put it into the file of --label-studio-key-file"};
}

// The path of Label Studio's address without a slash at its end.
std::string_view base_path(const WebAddress& label_studio) {
  std::string_view base = label_studio.path;
  if (base.ends_with('/')) base.remove_suffix(1);
  return base;
}

// Whether a text may stand in a header as it is.
bool is_token(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

// Paths that Label Studio has pictures at.
bool serves_pictures(const WebAddress& label_studio, const WebAddress& address) {
  std::string_view path = address.path;
  const std::string_view base = base_path(label_studio);
  if (!path.starts_with(base)) return false;
  path.remove_prefix(base.size());
  const std::string small = in_small_letters(path);
  if (small.find("..") != small.npos || small.find("%2e") != small.npos ||
      small.find("%2f") != small.npos || small.find('\\') != small.npos) {
    return false;
  }
  if (path.starts_with("/data/") || path.starts_with("/storage-data/")) return true;
  constexpr std::string_view kTasks = "/tasks/";
  if (!path.starts_with(kTasks)) return false;
  path.remove_prefix(kTasks.size());
  const size_t digits = std::min(path.find_first_not_of("0123456789"), path.size());
  return digits > 0 && path.substr(digits).starts_with("/presign/");
}

WebAddress parsed_address(const std::string& text) {
  std::optional<WebAddress> address = parse_web_address(text);
  if (!address || !address->query.empty()) {
    throw usage_error(
        fmt::format("`label_studio_url`: {} is no address of Label Studio", in_quotes(text)),
        "it begins with http:// or https:// and holds no user, key or question mark: "
        "http://localhost:8080");
  }
  return std::move(*address);
}

std::string checked_key(const std::string& text) {
  const std::vector<std::string_view> lines = split_lines(text);
  const std::string key(lines.size() == 1 ? lines.front() : "");
  if (!is_token(key) || key.size() > kMaxTokenBytes) {
    throw usage_error("the key of Label Studio is not one word on one line",
                      "`label_studio_key_file` or LABEL_STUDIO_API_KEY is one token, as Label "
                      "Studio shows it in Account & Settings");
  }
  return key;
}

}  // namespace

KeyKind kind_of_key(const std::string& key) {
  const auto head = part_of_token(key, 0);
  if (!head || !head->contains("alg")) return KeyKind::kLegacy;
  const auto claims = part_of_token(key, 1);
  return claims && claims->value("token_type", nlohmann::json()) == "access" ? KeyKind::kAccess
                                                                             : KeyKind::kRefresh;
}

int64_t end_of_token(const std::string& token) {
  const auto claims = part_of_token(token, 1);
  if (!claims || !claims->contains("exp")) return 0;
  const nlohmann::json& end = claims->at("exp");
  return end.is_number_integer() ? end.get<int64_t>() : 0;
}

WebAddress address_of_picture(const WebAddress& label_studio, const std::string& picture) {
  const std::string base(base_path(label_studio));
  std::string text = picture;
  if (text.starts_with("upload/")) text = "/data/" + text;
  if (text.starts_with("/upload/")) text = "/data" + text;
  if (text.starts_with("data/")) text = "/" + text;
  const bool is_path = text.starts_with('/') && !text.starts_with("//");
  if (is_path) text = label_studio.origin() + (text.starts_with(base + "/") ? "" : base) + text;
  const std::string shown = in_quotes(picture.substr(0, picture.find('?')));
  const std::optional<WebAddress> address = parse_web_address(text);
  if (!address || address->origin() != label_studio.origin()) {
    throw bad_input(
        fmt::format("the picture {} is not on {}", shown, label_studio.origin()),
        "pictures are taken from Label Studio alone: upload them to it, or switch pre-signed "
        "addresses off in its storage; --label-studio-url is what addresses in tasks must begin "
        "with");
  }
  if (!serves_pictures(label_studio, *address)) {
    throw bad_input(fmt::format("Label Studio has no pictures at {}", in_quotes(address->path)),
                    "they are at /data/upload/, /data/local-files/, /storage-data/ and "
                    "/tasks/ID/presign/");
  }
  return *address;
}

struct PictureSource::Question {
  std::string url;
  std::string authorization = {};  // of the header; empty: none
  std::string json = {};           // a body to be posted; empty: GET
};

struct PictureSource::Response {
  int status = 0;
  std::string body;
  std::string location;  // where a redirect leads
};

PictureSource::PictureSource(const std::string& address, const std::string& key,
                             PictureLimits limits)
    : address_(parsed_address(address)),
      key_(checked_key(key)),
      kind_(kind_of_key(key_)),
      limits_(limits) {}

PictureSource::Response PictureSource::ask(const Question& question,
                                           const PictureWait& wait) const {
  struct Transfer {
    Response response;
    size_t most = 0;
    bool too_large = false;
    const PictureWait& wait;
  } transfer{.response = {}, .most = limits_.bytes, .wait = wait};
  const CurlHandle handle = new_curl_handle();
  CURL* curl = handle.get();
  CurlList headers;
  const auto add_header = [&](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  if (!question.authorization.empty()) add_header("Authorization: " + question.authorization);
  if (!question.json.empty()) {
    add_header("Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(question.json.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question.json.c_str());
  }
  if (headers != nullptr) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_URL, question.url.c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, long{kConnect.count()});
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wait.until - SteadyClock::now());
  const auto most = std::min<std::chrono::milliseconds>(limits_.time, left);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, std::max(1L, long{most.count()}));
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t size, void* into) -> size_t {
        auto& to = *static_cast<Transfer*>(into);
        to.too_large = to.response.body.size() + size > to.most;
        if (to.too_large) return 0;
        to.response.body.append(data, size);
        return size;
      });
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(
      curl, CURLOPT_XFERINFOFUNCTION,
      +[](void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
        return static_cast<Transfer*>(of)->wait.gone() ? 1 : 0;
      });
  const CURLcode code = curl_easy_perform(curl);
  const std::string shown = question.url.substr(0, question.url.find('?'));
  if (transfer.too_large) {
    throw RefusedRequest(413, "too_large",
                         fmt::format("{} is larger than {} MiB", shown, limits_.bytes >> 20),
                         "a larger limit is for its operator to set: tagclip serve --max-body-mb");
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) throw Error(ErrorKind::kStopped, "nobody waits any more");
  if (code == CURLE_OPERATION_TIMEDOUT) {
    throw RefusedRequest(504, "timeout", fmt::format("{} did not come in time", shown),
                         "is Label Studio up, and is --label-studio-url its address?");
  }
  if (code != CURLE_OK) {
    throw RefusedRequest(
        502, "upstream",
        fmt::format("{}: {}", shown, *reason == '\0' ? curl_easy_strerror(code) : reason),
        "is Label Studio up, and is --label-studio-url its address?");
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  char* location = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
  if (location != nullptr) transfer.response.location = location;
  return std::move(transfer.response);
}

// Exchanges the personal access token for an access token.
void PictureSource::renew(const PictureWait& wait) {
  const std::string base = address_.origin() + std::string(base_path(address_));
  const Response response =
      ask({.url = base + "/api/token/refresh/", .json = nlohmann::json({{"refresh", key_}}).dump()},
          wait);
  if (response.status == 401 || response.status == 403) {
    throw refused_key(kind_, "Label Studio refuses the personal access token");
  }
  const auto json = parse_bounded_json(response.body, kMaxTokenBytes);
  const bool has_token = response.status == 200 && json && json->is_object() &&
                         json->contains("access") && json->at("access").is_string();
  if (!has_token) {
    throw RefusedRequest(
        502, "upstream",
        fmt::format("Label Studio gives no access token: its answer is {}", response.status),
        "--label-studio-url must lead to Label Studio itself");
  }
  access_ = json->at("access").get<std::string>();
  if (!is_token(access_)) {
    access_.clear();
    throw RefusedRequest(502, "upstream", "Label Studio gives an access token that is none");
  }
  const int64_t end = end_of_token(access_);
  const Clock::time_point now = Clock::now();
  const Clock::duration life =
      end == 0 ? kUnknownLife : Clock::time_point(std::chrono::seconds(end)) - now;
  renew_at_ = now + std::max(life / 2, life - kMargin);
}

std::string PictureSource::authorization(const PictureWait& wait) {
  if (kind_ == KeyKind::kLegacy) return "Token " + key_;
  if (kind_ == KeyKind::kAccess) return "Bearer " + key_;
  const std::lock_guard lock(mutex_);
  if (access_.empty() || Clock::now() >= renew_at_) renew(wait);
  return "Bearer " + access_;
}

// The token of this header was refused: the next is another.
void PictureSource::forget(const std::string& authorization) {
  const std::lock_guard lock(mutex_);
  if (authorization == "Bearer " + access_) access_.clear();
}

PictureSource::Response PictureSource::authorized(const WebAddress& address,
                                                  const PictureWait& wait) {
  const auto is_refused = [](const Response& response) {
    // Pages of Label Studio's that want a session lead to the page to log in at.
    return response.status == 401 || response.location.find("/user/login") != std::string::npos;
  };
  std::string header = authorization(wait);
  Response response = ask({.url = address.text(), .authorization = header}, wait);
  if (is_refused(response) && kind_ == KeyKind::kRefresh) {
    forget(header);
    header = authorization(wait);
    response = ask({.url = address.text(), .authorization = header}, wait);
  }
  if (is_refused(response)) {
    throw refused_key(kind_, kind_ == KeyKind::kLegacy ? "Label Studio refuses the legacy token"
                                                       : "Label Studio refuses the access token");
  }
  return response;
}

PictureSource::Response PictureSource::follow(WebAddress address, const PictureWait& wait) {
  for (int step = 0; step <= kMaxRedirects; ++step) {
    Response response = authorized(address, wait);
    if (response.location.empty()) return response;
    const std::optional<WebAddress> next = parse_web_address(response.location);
    if (!next || next->origin() != address_.origin() || !serves_pictures(address_, *next)) {
      throw RefusedRequest(
          502, "upstream",
          fmt::format("{} leads elsewhere: {}", address.shown(),
                      next ? next->shown() : "no address of the web"),
          "pictures are taken from Label Studio's own host alone: switch pre-signed addresses off "
          "in the settings of the storage");
    }
    address = *next;
  }
  throw RefusedRequest(502, "upstream", fmt::format("{} leads in a circle", address.shown()));
}

std::string PictureSource::fetch(const std::string& picture, const PictureWait& wait) {
  const WebAddress address = address_of_picture(address_, picture);
  Response response = follow(address, wait);
  // Where uploads are kept in a cloud they are not at their own address.
  constexpr std::string_view kUploads = "/data/upload/";
  const size_t upload = address.path.find(kUploads);
  if (response.status == 404 && upload != address.path.npos) {
    WebAddress stored = address;
    stored.path = address.path.substr(0, upload) + "/storage-data/uploaded/";
    stored.query = "filepath=" + address.path.substr(upload + std::string_view("/data/").size());
    response = follow(stored, wait);
  }
  if (response.status == 200) return std::move(response.body);
  const bool hidden = response.status == 403 || response.status == 404;
  throw RefusedRequest(
      502, "upstream", fmt::format("{}: Label Studio answers {}", address.shown(), response.status),
      hidden ? "is the picture there, and may the owner of the key see the project? Local files "
               "need LOCAL_FILES_SERVING_ENABLED in Label Studio"
             : "its log may say why");
}

}  // namespace tagclip
