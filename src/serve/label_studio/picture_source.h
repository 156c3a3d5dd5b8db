#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "http/web_address.h"

namespace tagclip {

// What a key of Label Studio's is.
enum class KeyKind {
  kLegacy,   // sent as it is: "Authorization: Token KEY"
  kRefresh,  // a personal access token: exchanged for access tokens that last some minutes
  kAccess,   // one of these, which nothing renews
};
KeyKind kind_of_key(const std::string& key);

// The time, in seconds since 1970, at which a JSON Web Token ends; 0 where it does not tell. Its
// signature is not looked at.
int64_t end_of_token(const std::string& token);

// Returns where a task's picture is to be asked for: `picture` is a path of Label Studio's, such as
// /data/upload/1/a.jpg, or an address on its own host. Throws Error(kBadInput) for other hosts,
// ports and protocols, and for paths that Label Studio serves no pictures at.
WebAddress address_of_picture(const WebAddress& label_studio, const std::string& picture);

struct PictureLimits {
  size_t bytes = size_t{32} << 20;
  std::chrono::seconds time{30};  // of a picture, redirects included
};

// How long somebody waits for a picture.
struct PictureWait {
  std::chrono::steady_clock::time_point until;
  std::function<bool()> gone;  // asked about once a second: nobody waits any more
};

// The pictures of one Label Studio. Nothing is asked of other hosts: a redirect that leads away is
// an error. Safe to use from several threads, which wait for the network.
class PictureSource {
 public:
  // `key`: a personal access token or a legacy one, white space around it does not matter. Throws
  // Error(kUsage) for an address or a key that cannot be one.
  PictureSource(const std::string& address, const std::string& key, PictureLimits limits);

  // Returns the bytes of a task's picture. A token that Label Studio refuses is renewed once.
  // Throws Error(kStopped) where nobody waits any more; as address_of_picture; and RefusedRequest:
  // 413 for a picture that is too large, 502 for what Label Studio answers, 504 where it does not
  // in time.
  std::string fetch(const std::string& picture, const PictureWait& wait);

  const WebAddress& address() const { return address_; }

 private:
  struct Response;
  struct Question;
  Response ask(const Question& question, const PictureWait& wait) const;
  Response follow(WebAddress address, const PictureWait& wait);
  Response authorized(const WebAddress& address, const PictureWait& wait);
  std::string authorization(const PictureWait& wait);
  void renew(const PictureWait& wait);
  void forget(const std::string& authorization);

  const WebAddress address_;
  const std::string key_;
  const KeyKind kind_;
  const PictureLimits limits_;
  std::mutex mutex_;  // guards what follows; held while a token is exchanged
  std::string access_;
  std::chrono::system_clock::time_point renew_at_;
};

}  // namespace tagclip
