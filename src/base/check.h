#pragma once

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace tagclip {

template <class Left, class Right>
void check_equal(const Left& left, const Right& right, const char* condition, const char* file,
                 int line, const std::string& message) {
  if (std::cmp_equal(left, right)) return;
  check_failed(condition, file, line, fmt::format("{}: {} and {}", message, left, right));
}

}  // namespace tagclip

// TAGCLIP_CHECK of two whole numbers, sizes above all, which prints both.
#define TAGCLIP_CHECK_EQ(left, right, message) \
  ::tagclip::check_equal((left), (right), #left " == " #right, __FILE__, __LINE__, (message))
