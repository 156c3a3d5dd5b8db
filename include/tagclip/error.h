#pragma once

#include <stdexcept>
#include <string>
#include <utility>

// Marks what the library exports; everything else in it is hidden.
#if defined(__GNUC__)
#define TAGCLIP_API __attribute__((visibility("default")))
#else
#define TAGCLIP_API
#endif

namespace tagclip {

// The side that has to act on an error. The values are the exit codes of the program `tagclip`.
enum class ErrorKind {
  kFailure = 1,    // the environment failed: disk full, permission, out of memory, device lost
  kUsage = 2,      // a setting or an argument asks for something impossible
  kBadInput = 3,   // a file, a photo or a text that was given cannot be used
  kStopped = 130,  // the caller asked to stop
};

// An error the caller can understand and act on. `what()` says what was wrong, in which file and
// where; `hint()` says what to do and may be empty. Names of settings stand between backticks.
class TAGCLIP_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::string hint = {})
      : std::runtime_error(what), kind_(kind), hint_(std::move(hint)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

}  // namespace tagclip
