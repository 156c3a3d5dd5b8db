#include "ranks/rendezvous.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);

// Returns true if a connection to this address is accepted within half a second.
bool accepts(const addrinfo& address) {
  constexpr int kMilliseconds = 500;
  const int socket = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                              address.ai_protocol);
  if (socket < 0) return false;
  bool connected = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0;
  pollfd waiting{socket, POLLOUT, 0};
  if (!connected && errno == EINPROGRESS && ::poll(&waiting, 1, kMilliseconds) == 1) {
    int error = 0;
    socklen_t length = sizeof error;
    connected = ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }
  ::close(socket);
  return connected;
}

bool can_be_reached(const RankEnvironment& environment) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  const std::string port = std::to_string(environment.port);
  if (::getaddrinfo(environment.address.c_str(), port.c_str(), &wanted, &found) != 0) return false;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (accepts(*address)) return true;
  }
  return false;
}

std::string here(int64_t rank) { return fmt::format("here/{}", rank); }

// The ranks that have not said that they are there.
std::vector<int64_t> missing_ranks(c10d::Store& store, int64_t size) {
  std::vector<int64_t> missing;
  for (int64_t rank = 0; rank < size; ++rank) {
    if (!store.check({here(rank)})) missing.push_back(rank);
  }
  return missing;
}

// Returns "rank 3", "ranks 1, 2 and 3" or "ranks 1, 2, 3, 4 and 12 more".
std::string words_of(const std::vector<int64_t>& ranks) {
  constexpr size_t kShown = 4;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  const size_t shown = std::min(ranks.size(), kShown);
  for (size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == ranks.size();
    text += fmt::format("{}{}", i == 0 ? "" : last ? " and " : ", ", ranks[i]);
  }
  return ranks.size() > shown ? text + fmt::format(" and {} more", ranks.size() - shown) : text;
}

// Asks `awaited` until it is empty; it says for whom the rank waits.
void wait(const std::function<std::string()>& awaited, const RankEnvironment& environment,
          const Patience& patience) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  auto next_words = begin + std::chrono::seconds(2);
  while (true) {
    const std::string whom = awaited();
    if (whom.empty()) return;
    if (patience.stop_requested()) {
      throw Error(ErrorKind::kStopped,
                  fmt::format("stopped while rank {} waited for {}", environment.rank, whom));
    }
    if (Clock::now() - begin > patience.timeout) {
      throw failure(fmt::format("rank {} of {} has waited {} s for {}", environment.rank,
                                environment.size, patience.timeout.count(), whom),
                    "were all ranks started, and is the port free and reachable?");
    }
    if (Clock::now() > next_words) {
      patience.say(fmt::format(
          "rank {} of {} waits for {}, up to {} s: {} is {}; to work without others start it with: "
          "{} tagclip ...",
          environment.rank, environment.size, whom, patience.timeout.count(),
          environment.size_variable, environment.size, environment.alone));
      next_words += std::chrono::minutes(1);
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

void wait_for_store(const RankEnvironment& environment, const Patience& patience) {
  if (environment.rank == 0 && !environment.store_is_served) return;
  const std::string whom =
      fmt::format("{} at {}:{}", environment.store_is_served ? "torchrun's agent" : "rank 0",
                  environment.address, environment.port);
  wait([&] { return can_be_reached(environment) ? std::string() : whom; }, environment, patience);
}

void wait_for_ranks(c10d::Store& store, const RankEnvironment& environment,
                    const Patience& patience) {
  store.set(here(environment.rank), std::vector<uint8_t>{1});
  wait(
      [&] {
        const std::vector<int64_t> missing = missing_ranks(store, environment.size);
        return missing.empty() ? std::string() : words_of(missing);
      },
      environment, patience);
}

}  // namespace tagclip
