#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace tagclip {

// The message and hint of the Error(kBadInput) that `action` throws; fails the test when it does
// not. Tests only.
template <typename Action>
std::string bad_input_text(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    return std::string(error.what()) + " | " + error.hint();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace tagclip
