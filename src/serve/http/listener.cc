#include "serve/http/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int kBacklog = 511;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses addresses_of(const std::string& host, int64_t port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (error == 0) return {found, &::freeaddrinfo};
  throw usage_error(fmt::format("cannot listen on {}: {}", host, ::gai_strerror(error)),
                    "set `host` to an address of this machine, such as 127.0.0.1 or 0.0.0.0");
}

bool is_loopback(const addrinfo& address) {
  if (address.ai_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6*>(address.ai_addr)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&ip);
  }
  const auto& ip = reinterpret_cast<const sockaddr_in*>(address.ai_addr)->sin_addr;
  return ntohl(ip.s_addr) >> 24 == 127;
}

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Listener listen_on(const std::string& host, int64_t port) {
  const Addresses addresses = addresses_of(host, port);
  const addrinfo& address = *addresses;
  Listener listener{.ipv6 = address.ai_family == AF_INET6, .loopback = is_loopback(address)};
  listener.socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  ::setsockopt(listener.socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (listener.socket < 0 || ::bind(listener.socket, address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(listener.socket, kBacklog) != 0) {
    const int error = errno;
    if (listener.socket >= 0) ::close(listener.socket);
    throw usage_error(
        fmt::format("cannot listen on {}, port {}: {}", host, port, std::strerror(error)),
        error == EADDRINUSE ? "set `port` to another one; 0 takes any that is free"
        : error == EACCES   ? "ports below 1024 need rights: set `port` to a larger one"
                            : "set `host` to an address of this machine");
  }
  listener.port = port_of(listener.socket);
  return listener;
}

}  // namespace tagclip
