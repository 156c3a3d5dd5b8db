#include "fetch/http.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(Http, RedirectsStayOnTheWebAndNeverLoseEncryption) {
  EXPECT_STREQ(redirect_protocols("https://a.org/x"), "https");
  EXPECT_STREQ(redirect_protocols("http://a.org/x"), "http,https");
}

}  // namespace
}  // namespace tagclip
