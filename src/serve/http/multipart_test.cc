#include "serve/http/multipart.h"

#include <gtest/gtest.h>

#include "support/test_errors.h"

namespace tagclip {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=x-y";

std::string part(const std::string& headers, const std::string& content) {
  return "--x-y\r\n" + headers + "\r\n\r\n" + content + "\r\n";
}

TEST(Multipart, PartsByName) {
  const std::string photo("\xFF\xD8\r\n--x-\r\n\0", 11);
  const std::string body =
      part(
          "Content-Disposition: form-data; name=\"photo\"; filename=\"a;name=b.jpg\"\r\n"
          "Content-Type: image/jpeg",
          photo) +
      part("content-type: application/json\r\nCONTENT-DISPOSITION: form-data; name=request", "{}") +
      "--x-y--\r\n";
  const auto parts = parse_multipart(body, kType);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].name, "photo");
  EXPECT_EQ(parts[0].content, photo);
  EXPECT_EQ(parts[1].name, "request");
  EXPECT_EQ(parts[1].content, "{}");
}

TEST(Multipart, AnEmptyPartAndNoPart) {
  EXPECT_EQ(parse_multipart(part("Content-Disposition: form-data; name=\"a\\\"b\"", "") + "--x-y--",
                            "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"x-y\"")
                .at(0)
                .name,
            "a\"b");
  EXPECT_TRUE(parse_multipart("--x-y--\r\n", kType).empty());
}

TEST(Multipart, SaysWhereItBreaks) {
  const std::string good = "Content-Disposition: form-data; name=photo";
  const auto why = [](const std::string& body, const std::string& type = kType) {
    return bad_input_text([&] { parse_multipart(body, type); });
  };
  EXPECT_NE(why("", kType).find("does not begin"), std::string::npos);
  EXPECT_NE(why("--x-y--", "multipart/form-data").find("no boundary"), std::string::npos);
  EXPECT_NE(
      why("--x-y--", "multipart/form-data; boundary=" + std::string(71, 'a')).find("boundary"),
      std::string::npos);
  EXPECT_NE(why(part(good, "a") + "--x-").find("part 1 does not end"), std::string::npos);
  EXPECT_NE(why(part(good, "a") + "--x-y").find("part 2 does not begin"), std::string::npos);
  EXPECT_NE(why("--x-y\r\n" + good).find("headers of part 1"), std::string::npos);
  EXPECT_NE(why(part("Content-Type: a/b", "a") + "--x-y--").find("part 1 has no name"),
            std::string::npos);
  EXPECT_NE(why(part("Content-Disposition: attachment; name=a", "a") + "--x-y--").find("no name"),
            std::string::npos);
  EXPECT_NE(why(part("no colon", "a") + "--x-y--").find("no colon"), std::string::npos);
  EXPECT_NE(why(part(good + "\r\nA: " + std::string(5000, 'a'), "a") + "--x-y--").find("headers"),
            std::string::npos);
  std::string many;
  for (int i = 0; i < 17; ++i) many += part(good, "a");
  EXPECT_NE(why(many + "--x-y--").find("more than 16 parts"), std::string::npos);
}

TEST(Multipart, IsToldByTheType) {
  EXPECT_TRUE(is_multipart("Multipart/form-data; boundary=a"));
  EXPECT_FALSE(is_multipart("multipart/form-database"));
  EXPECT_FALSE(is_multipart("image/jpeg"));
}

}  // namespace
}  // namespace tagclip
