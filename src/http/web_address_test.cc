#include "http/web_address.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(WebAddress, IsTakenApart) {
  const auto full = parse_web_address("HTTPS://Labels.Example.ORG/ls/data/../data/a%20b.jpg?d=x#f");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->origin(), "https://labels.example.org:443");
  EXPECT_EQ(full->path, "/ls/data/a%20b.jpg");
  EXPECT_EQ(full->query, "d=x");
  EXPECT_EQ(full->shown(), "https://labels.example.org:443/ls/data/a%20b.jpg");
  EXPECT_EQ(full->text(), full->shown() + "?d=x");
  EXPECT_EQ(parse_web_address("http://[::1]:8080")->origin(), "http://[::1]:8080");
  EXPECT_EQ(parse_web_address("http://a")->path, "/");
}

TEST(WebAddress, RefusesWhatIsNoneOrHidesWhereItLeads) {
  for (const char* text :
       {"", "a.org/x", "file:///etc/passwd", "ftp://a.org/x", "http://", "http://user@a.org/",
        "http://user:pw@a.org/", "http://a.org:b/", "http://a.org/a b", "http://a.org/\n",
        "/data/x.jpg", "//a.org/x", "http://a.org:99999/"}) {
    EXPECT_FALSE(parse_web_address(text)) << text;
  }
}

}  // namespace
}  // namespace tagclip
