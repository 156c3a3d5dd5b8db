#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// True if the Host header names the server as it may be called: by an address, as localhost, or by
// one of `names`, with any port. A page of somebody else's cannot lead a browser's user here by a
// name of its own that resolves to our address (DNS rebinding).
bool host_is_ours(std::string_view host, const std::vector<std::string>& names);

// True if a page of this origin ("https://example.org") came from this server, as the Host header
// names it.
bool is_same_origin(std::string_view origin, std::string_view host);

// The keys that let requests in.
class ApiKeys {
 public:
  ApiKeys() = default;  // none: every request is let in
  // Reads a file with one key per line; empty lines and those that begin with # are left out.
  // Throws Error(kBadInput) where it holds none, or one of fewer than 16 characters.
  explicit ApiKeys(const std::filesystem::path& file);

  bool empty() const { return digests_.empty(); }
  // True if `authorization` is "Bearer KEY", or "Basic" with a key as its password. The time it
  // takes tells nothing about the keys.
  bool let_in(std::string_view authorization) const;

 private:
  using Digest = std::array<uint8_t, 32>;  // SHA-256
  static Digest digest_of(std::string_view key);

  std::vector<Digest> digests_;
};

}  // namespace tagclip
