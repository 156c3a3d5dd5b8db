#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

// An http or https address in its parts, as libcurl reads it.
struct WebAddress {
  std::string scheme;  // "http" or "https"
  std::string host;    // in small letters; IPv6 between brackets
  std::string port;    // "80" where it is not told
  std::string path;    // begins with a slash; "." and ".." are resolved
  std::string query;   // without the question mark

  // "https://example.org:443": where it leads, without the path.
  std::string origin() const;
  // The address without its query, which may hold secrets: for messages.
  std::string shown() const { return origin() + path; }
  std::string text() const;
};

// Takes an address apart. Nothing for other protocols, for user names and passwords in it, and for
// what libcurl would not ask. The fragment is dropped.
std::optional<WebAddress> parse_web_address(std::string_view text);

}  // namespace tagclip
