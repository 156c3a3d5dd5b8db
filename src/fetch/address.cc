#include "fetch/address.h"

namespace tagclip {
namespace {

// Behind "scheme://"; 0 where that is neither http nor https.
size_t start_of_host(const std::string& url) {
  for (const char* scheme : {"https://", "http://"}) {
    const std::string prefix = scheme;
    if (url.starts_with(prefix)) return prefix.size();
  }
  return 0;
}

}  // namespace

bool is_web_address(const std::string& url) {
  const size_t host = start_of_host(url);
  if (host == 0 || host == url.size()) return false;
  for (unsigned char c : url) {
    if (c <= ' ' || c == 0x7f) return false;
  }
  return url[host] != '/' && url[host] != '?' && url[host] != '#';
}

std::string why_not_follow(const std::string& from, const std::string& to) {
  if (!is_web_address(to)) return "which is no web address";
  if (from.starts_with("https://") && !to.starts_with("https://")) return "which is not encrypted";
  return {};
}

std::string printable(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  const size_t host = start_of_host(shown);
  const size_t at = shown.substr(0, shown.find('/', host)).rfind('@');
  if (host > 0 && at != shown.npos && at > host) shown.erase(host, at + 1 - host);
  return shown;
}

}  // namespace tagclip
