#include "fetch/address.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(Address, OfTheWeb) {
  for (const char* good : {"https://a.org/x", "http://localhost:80", "https://u:p@a.org/x?y#z"}) {
    EXPECT_TRUE(is_web_address(good)) << good;
  }
  for (const char* bad :
       {"", "https://", "https:///x", "http://?x", "file:///etc/passwd", "ftp://a.org", "a.org/x",
        "https:/a.org", "HTTPS//a", "https://a.org/a b", "https://a\r\nb"}) {
    EXPECT_FALSE(is_web_address(bad)) << bad;
  }
}

TEST(Address, RedirectsStayOnTheWebAndNeverLoseEncryption) {
  EXPECT_EQ(why_not_follow("https://a.org/x", "https://b.org/y"), "");
  EXPECT_EQ(why_not_follow("http://a.org/x", "http://b.org/y"), "");
  EXPECT_EQ(why_not_follow("http://a.org/x", "https://b.org/y"), "");
  EXPECT_EQ(why_not_follow("https://a.org/x", "http://a.org/x"), "which is not encrypted");
  for (const char* to : {"file:///etc/passwd", "gopher://a.org", "scp://a.org/x", ""}) {
    EXPECT_EQ(why_not_follow("http://a.org/x", to), "which is no web address") << to;
  }
}

TEST(Address, IsShownWithoutSecrets) {
  EXPECT_EQ(printable("https://a.org/x/y.pt"), "https://a.org/x/y.pt");
  EXPECT_EQ(printable("https://me:secret@a.org/x@y"), "https://a.org/x@y");
  EXPECT_EQ(printable("https://a.org/x?token=secret#part"), "https://a.org/x");
  EXPECT_EQ(printable("https://me@a.org"), "https://a.org");
}

}  // namespace
}  // namespace tagclip
