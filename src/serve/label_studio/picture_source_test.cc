#include "serve/label_studio/picture_source.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/error.h"

namespace tagclip {
namespace {

// A JSON Web Token of these claims.
std::string token_of(const std::string& claims) {
  const auto part = [](const std::string& text) {
    std::string digits = to_base64(std::as_bytes(std::span(text)));
    while (digits.ends_with('=')) digits.pop_back();
    for (char& digit : digits) digit = digit == '+' ? '-' : digit == '/' ? '_' : digit;
    return digits;
  };
  return part(R"({"alg":"HS256","typ":"JWT"})") + "." + part(claims) + ".c2ln";
}

std::string refusal_of_picture(const WebAddress& label_studio, const std::string& picture) {
  try {
    return "asked at " + address_of_picture(label_studio, picture).text();
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(LabelStudioKey, IsToldByItsForm) {
  EXPECT_EQ(kind_of_key("0123456789abcdef0123456789abcdef01234567"), KeyKind::kLegacy);
  EXPECT_EQ(kind_of_key("a.b.c"), KeyKind::kLegacy);
  EXPECT_EQ(kind_of_key(token_of(R"({"token_type":"refresh","exp":8000000000})")),
            KeyKind::kRefresh);
  EXPECT_EQ(kind_of_key(token_of(R"({"token_type":"access","exp":1}??>)")), KeyKind::kRefresh);
  EXPECT_EQ(kind_of_key(token_of(R"({"token_type":"access","exp":1})")), KeyKind::kAccess);
  EXPECT_EQ(end_of_token(token_of(R"({"exp":8000000000,"name":"???>>>"})")), 8'000'000'000);
  EXPECT_EQ(end_of_token(token_of(R"({"exp":"soon"})")), 0);
  EXPECT_EQ(end_of_token("a.b.c"), 0);
}

TEST(LabelStudioPictures, AreAskedForAtTheirHost) {
  const WebAddress ours = *parse_web_address("https://labels.example.org/ls/");
  for (const char* picture :
       {"/data/upload/1/a.jpg", "/ls/data/upload/1/a.jpg", "data/upload/1/a.jpg", "upload/1/a.jpg",
        "/upload/1/a.jpg", "https://labels.example.org/ls/data/upload/1/a.jpg",
        "HTTPS://LABELS.example.org:443/ls/data/upload/1/a.jpg"}) {
    EXPECT_EQ(refusal_of_picture(ours, picture),
              "asked at https://labels.example.org:443/ls/data/upload/1/a.jpg");
  }
  EXPECT_EQ(refusal_of_picture(ours, "/data/local-files/?d=a%2Fb.jpg"),
            "asked at https://labels.example.org:443/ls/data/local-files/?d=a%2Fb.jpg");
  EXPECT_EQ(refusal_of_picture(ours, "/tasks/12/presign/?fileuri=x"),
            "asked at https://labels.example.org:443/ls/tasks/12/presign/?fileuri=x");
}

TEST(LabelStudioPictures, AreNotAskedForElsewhere) {
  const WebAddress ours = *parse_web_address("https://labels.example.org/ls");
  for (const char* picture :
       {"", "file:///etc/passwd", "http://labels.example.org/ls/data/a", "//evil.org/data/a",
        "https://labels.example.org:8443/ls/data/a", "https://labels.example.org.evil.org/data/a",
        "https://labels.example.org@evil.org/data/a",
        "https://labels.example.org\\@evil.org/data/a",
        "https://evil.org#labels.example.org/ls/data/a", "s3://bucket/a.jpg", "/data/a b.jpg",
        "data:image/png;base64,AA"}) {
    EXPECT_FALSE(refusal_of_picture(ours, picture).starts_with("asked")) << picture;
  }
  for (const char* picture : {"/api/users", "/data/../api/users", "/data/%2e%2e/api/users",
                              "/data/..%2Fapi", "/data", "https://labels.example.org/data/a",
                              "/tasks/1/delete", "/tasks/x/presign/", "/user/logout"}) {
    EXPECT_FALSE(refusal_of_picture(ours, picture).starts_with("asked")) << picture;
  }
  EXPECT_EQ(refusal_of_picture(ours, "http://a.org/x.jpg?token=secret").find("secret"),
            std::string::npos);
}

TEST(LabelStudioPictures, WantAnAddressAndAKey) {
  EXPECT_NO_THROW(PictureSource("http://localhost:8080", " key\n", {}));
  EXPECT_THROW(PictureSource("localhost:8080", "key", {}), Error);
  EXPECT_THROW(PictureSource("http://localhost:8080/?key=x", "key", {}), Error);
  EXPECT_THROW(PictureSource("http://localhost:8080", " \n", {}), Error);
  EXPECT_THROW(PictureSource("http://localhost:8080", "a\nHost: b", {}), Error);
}

}  // namespace
}  // namespace tagclip
