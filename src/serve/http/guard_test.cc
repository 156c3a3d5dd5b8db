#include "serve/http/guard.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/files.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

TEST(Host, AddressesLocalhostAndOurNamesAreOurs) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]", "[::1]:8080",
        "192.168.1.7:80", "seg.example.org", "SEG.example.org:443"}) {
    EXPECT_TRUE(host_is_ours(host, {"seg.example.org"})) << host;
  }
  for (const char* host : {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                           "127.0.0.1@evil.example", "127.0.0.1:8080:80", "[::1", "[evil.example]",
                           "localhost:80x", ":8080", "example.org", "2130706433"}) {
    EXPECT_FALSE(host_is_ours(host, {"seg.example.org"})) << host;
  }
}

TEST(Origin, IsTheSameWhereHostAndPortAre) {
  EXPECT_TRUE(is_same_origin("http://127.0.0.1:8080", "127.0.0.1:8080"));
  EXPECT_TRUE(is_same_origin("https://seg.example.org", "seg.example.org"));
  EXPECT_FALSE(is_same_origin("http://127.0.0.1:8081", "127.0.0.1:8080"));
  EXPECT_FALSE(is_same_origin("http://evil.example", "127.0.0.1:8080"));
  EXPECT_FALSE(is_same_origin("null", "null"));
}

class Keys : public testing::Test {
 protected:
  ApiKeys read(const std::string& text) {
    write_file(folder_ / "keys", std::string_view(text));
    return ApiKeys(folder_ / "keys");
  }

  TestDir folder_;
  const std::string key_ = "0123456789abcdef", other_ = "fedcba9876543210";
};

TEST_F(Keys, AnyOfThemLetsIn) {
  const ApiKeys keys = read("# of the lab\n\n" + key_ + "\n" + other_ + "\r\n");
  for (const std::string& key : {key_, other_}) {
    EXPECT_TRUE(keys.let_in("Bearer " + key));
    EXPECT_TRUE(keys.let_in("bearer  " + key));
    const std::string pair = "label-studio:" + key;
    EXPECT_TRUE(keys.let_in("Basic " + to_base64(std::as_bytes(std::span(pair)))));
  }
  const std::vector<std::string> others = {"",
                                           key_,
                                           "Bearer",
                                           "Bearer ",
                                           "Bearer " + key_ + "0",
                                           "Bearer # of the lab",
                                           "Basic " + key_,
                                           "Basic Og==",
                                           "Digest x"};
  for (const std::string& text : others) {
    EXPECT_FALSE(keys.let_in(text)) << text;
  }
}

TEST_F(Keys, WithoutKeysEverybodyIsLetIn) { EXPECT_TRUE(ApiKeys().let_in("")); }

TEST_F(Keys, NoKeyOrAShortOneIsRefused) {
  EXPECT_NE(bad_input_text([&] { read("# nothing\n"); }).find("no key in it"), std::string::npos);
  EXPECT_NE(bad_input_text([&] { read("\nshort\n"); }).find("line 2 has 5 characters"),
            std::string::npos);
}

TEST(Base64, RoundTripAndNothingElse) {
  for (const std::string& text : {std::string(), std::string("a"), std::string("ab"),
                                  std::string("abc"), std::string("\0\xFF\x80", 3)}) {
    EXPECT_EQ(from_base64(to_base64(std::as_bytes(std::span(text)))), text);
  }
  EXPECT_EQ(to_base64(std::as_bytes(std::span("light w", 7))), "bGlnaHQgdw==");
  for (const char* text :
       {"a", "abc", "ab=c", "a===", "====", "ab c", "abcd\n", "abc-", "ab\xFF="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace tagclip
