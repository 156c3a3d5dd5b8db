#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace tagclip {

// "message | hint" of the Error that `action` throws; fails the test when it throws none or one of
// another kind. Tests only.
template <typename Action>
std::string error_of(ErrorKind kind, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return std::string(error.what()) + " | " + error.hint();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

template <typename Action>
std::string bad_input_text(const Action& action) {
  return error_of(ErrorKind::kBadInput, action);
}

}  // namespace tagclip
