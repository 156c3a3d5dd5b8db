#include "http/web_address.h"

#include <algorithm>
#include <cctype>

#include "http/curl_handle.h"

namespace tagclip {
namespace {

std::string part_of(CURLU* address, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(address, part, &text, flags) != CURLUE_OK) return {};
  std::string value = text;
  curl_free(text);
  return value;
}

}  // namespace

std::string WebAddress::origin() const { return scheme + "://" + host + ":" + port; }

std::string WebAddress::text() const { return shown() + (query.empty() ? "" : "?" + query); }

std::optional<WebAddress> parse_web_address(std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7F; });
  const std::unique_ptr<CURLU, CurlCloser> address(curl_url());
  if (!plain || address == nullptr ||
      curl_url_set(address.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return {};
  }
  WebAddress parts{.scheme = part_of(address.get(), CURLUPART_SCHEME),
                   .host = part_of(address.get(), CURLUPART_HOST),
                   .port = part_of(address.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT),
                   .path = part_of(address.get(), CURLUPART_PATH),
                   .query = part_of(address.get(), CURLUPART_QUERY)};
  std::ranges::transform(parts.host, parts.host.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  const bool is_web = parts.scheme == "http" || parts.scheme == "https";
  const bool has_user = !part_of(address.get(), CURLUPART_USER).empty() ||
                        !part_of(address.get(), CURLUPART_PASSWORD).empty();
  if (!is_web || has_user || parts.host.empty()) return {};
  return parts;
}

}  // namespace tagclip
