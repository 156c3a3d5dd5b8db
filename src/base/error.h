#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace tagclip {

// Who has to act on a failure. The values are the program's exit codes.
enum class ErrorKind {
  kFailure = 1,   // the world failed: full disk, no permission, a device lost
  kUsage = 2,     // the command line or a config asks for something impossible
  kBadInput = 3,  // a file or a text the user gave cannot be used
};

// A failure the user can understand and do something about.
// `what()` says what was wrong, in which file and where; `hint()` what to do, may be empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::string hint = {})
      : std::runtime_error(what), kind_(kind), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

inline Error failure(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kFailure, what, std::move(hint));
}
inline Error usage_error(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kUsage, what, std::move(hint));
}
inline Error bad_input(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kBadInput, what, std::move(hint));
}

// A broken invariant of the program itself: a bug, never the user's fault.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& message);

}  // namespace tagclip

#define TAGCLIP_CHECK(condition, message)                                 \
  do {                                                                    \
    if (!(condition)) {                                                   \
      ::tagclip::check_failed(#condition, __FILE__, __LINE__, (message)); \
    }                                                                     \
  } while (false)
