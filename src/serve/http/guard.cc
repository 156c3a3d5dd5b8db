#include "serve/http/guard.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/base64.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// "example.org:8080" and "[::1]:8080" without the port; empty where it is neither.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == host.npos ? "" : host.substr(1, end - 1);
  }
  const size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  const std::string_view port = colon == host.npos ? "" : host.substr(colon + 1);
  const bool digits = std::ranges::all_of(port, [](unsigned char c) { return std::isdigit(c); });
  return digits ? name : "";
}

bool is_address(const std::string& name) {
  in6_addr address;
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

// The words after a scheme that may be written in any case.
std::optional<std::string_view> after_scheme(std::string_view text, std::string_view scheme) {
  if (text.size() <= scheme.size() || text[scheme.size()] != ' ') return {};
  if (!equal_but_for_case(text.substr(0, scheme.size()), scheme)) return {};
  return trim(text.substr(scheme.size()));
}

}  // namespace

bool host_is_ours(std::string_view host, const std::vector<std::string>& names) {
  const std::string name(host_name(host));
  if (name.empty()) return false;
  if (is_address(name) || equal_but_for_case(name, "localhost")) return true;
  return std::ranges::any_of(
      names, [&](const std::string& ours) { return equal_but_for_case(name, ours); });
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  const size_t slashes = origin.find("://");
  return slashes != origin.npos && equal_but_for_case(origin.substr(slashes + 3), host);
}

ApiKeys::ApiKeys(const std::filesystem::path& file) {
  constexpr size_t kShortest = 16;
  constexpr uint64_t kMaxBytes = uint64_t{1} << 20;
  const std::string text = read_text(file, kMaxBytes);
  const auto lines = split_lines(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].starts_with('#')) continue;
    if (lines[i].size() < kShortest) {
      throw bad_input(fmt::format("{}: the key in line {} has {} characters", file.string(), i + 1,
                                  lines[i].size()),
                      fmt::format("make it at least {} long: openssl rand -hex 32", kShortest));
    }
    digests_.push_back(digest_of(lines[i]));
  }
  if (digests_.empty()) {
    throw bad_input(file.string() + ": no key in it",
                    "write one per line; `openssl rand -hex 32` makes one");
  }
}

ApiKeys::Digest ApiKeys::digest_of(std::string_view key) {
  Digest digest;
  ::SHA256(reinterpret_cast<const uint8_t*>(key.data()), key.size(), digest.data());
  return digest;
}

bool ApiKeys::let_in(std::string_view authorization) const {
  if (digests_.empty()) return true;
  std::string key;
  if (const auto bearer = after_scheme(authorization, "Bearer")) {
    key = *bearer;
  } else if (const auto basic = after_scheme(authorization, "Basic")) {
    const auto pair = from_base64(*basic);
    const size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon != std::string::npos) key = pair->substr(colon + 1);
  }
  const Digest given = digest_of(key);
  bool found = false;
  for (const Digest& digest : digests_) {  // all of them, so that the time is the same
    found |= ::CRYPTO_memcmp(digest.data(), given.data(), digest.size()) == 0;
  }
  return found && !key.empty();
}

}  // namespace tagclip
