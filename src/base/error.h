#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "tagclip/error.h"

namespace tagclip {

// The environment failed.
inline Error failure(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kFailure, what, std::move(hint));
}
// A setting or an argument asks for something impossible.
inline Error usage_error(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kUsage, what, std::move(hint));
}
// A file or a text that was given cannot be used.
inline Error bad_input(const std::string& what, std::string hint = {}) {
  return Error(ErrorKind::kBadInput, what, std::move(hint));
}

// Does `work` on a file and returns what it returns. What it throws for bad input that does not
// name the file begins with it.
template <class Work>
decltype(auto) about_file(const std::string& file, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    const std::string what = error.what();
    const bool named = file.empty() || what.find(file) != what.npos;
    if (error.kind() != ErrorKind::kBadInput || named) throw;
    throw bad_input(file + ": " + what, error.hint());
  }
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
