#pragma once

#include <cstdint>
#include <string>

namespace tagclip {

// A socket that listens; its owner closes it.
struct Listener {
  int socket = -1;
  int port = 0;
  bool ipv6 = false;
  bool loopback = false;  // no other machine reaches it
};

// Listens on the first address that the host has. Throws Error(kUsage) naming host and port.
Listener listen_on(const std::string& host, int64_t port);

}  // namespace tagclip
