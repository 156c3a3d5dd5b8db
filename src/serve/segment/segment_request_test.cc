#include "serve/segment/segment_request.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "image/png.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

std::string png_file(int width, int height) {
  Image image{width, height, {}};
  image.pixels.resize(image.size() * 3);
  const std::vector<std::byte> bytes = encode_png(image);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Requests : public testing::Test {
 protected:
  static ClientRequest json(std::string body) {
    return {.headers = {{"content-type", "application/json; charset=utf-8"}},
            .body = std::move(body)};
  }
  static ClientRequest form(const std::string& photo, const std::string& text) {
    std::string body;
    for (const auto& [name, content] : {std::pair{"photo", photo}, std::pair{"request", text}}) {
      body += "--b\r\nContent-Disposition: form-data; name=" + std::string(name) + "\r\n\r\n" +
              content + "\r\n";
    }
    return {.headers = {{"content-type", "multipart/form-data; boundary=b"}},
            .body = body + "--b--"};
  }
  SegmentRequest read(const ClientRequest& request) {
    return read_segment_request(request, defaults_, limits_);
  }
  SegmentRequest read(const std::string& members) {
    return read(json("{\"encoding\":\"id\"" + (members.empty() ? "" : "," + members) + "}"));
  }
  // The message and hint of the refusal of these members.
  std::string refused(const std::string& members) {
    try {
      read(members);
    } catch (const Error& error) {
      return error.what() + (" | " + error.hint());
    }
    return "not refused";
  }
  // The status with which a request is refused.
  int status(const ClientRequest& request) {
    try {
      read(request);
    } catch (const RefusedRequest& error) {
      return error.status;
    } catch (const Error&) {
      return 400;
    }
    return 200;
  }

  InferenceOptions defaults_ = {.threshold = 0.25};
  RequestLimits limits_ = {.classes = 3, .word_bytes = 10, .pixels = 100};
};

TEST_F(Requests, MembersAndDefaults) {
  const SegmentRequest plain = read("");
  EXPECT_EQ(plain.encoding, "id");
  EXPECT_TRUE(plain.words.classes.empty());
  EXPECT_EQ(plain.options.threshold, 0.25);
  EXPECT_EQ(plain.parts, std::vector{AnswerPart::kLabels});

  const SegmentRequest all = read(
      R"("classes":["cat",{"name":"sofa","synonyms":["couch"]}],"background":true,"synonyms":"max",
      "refine":"pamr","presence":0.5,"weighting":"none","threshold":0,"seen_bias":null,
      "outputs":["rle","trusty"])");
  EXPECT_EQ(all.words.classes, (std::vector<Words>{{"cat"}, {"sofa", "couch"}}));
  EXPECT_EQ(all.words.background, Words{"common"});
  EXPECT_EQ(all.words.synonyms, Synonyms::kMax);
  EXPECT_EQ(all.options.refine, Refine::kPamr);
  EXPECT_EQ(all.options.presence, 0.5);
  EXPECT_EQ(all.options.weighting, Weighting::kNone);
  EXPECT_EQ(all.options.threshold, 0);
  EXPECT_TRUE(all.asks_for(AnswerPart::kTrusty));
  EXPECT_FALSE(all.asks_for(AnswerPart::kLabels));
  EXPECT_EQ(read(R"("background":["wall","floor"])").words.background, (Words{"wall", "floor"}));
  EXPECT_TRUE(read(R"("background":false)").words.background.empty());
}

TEST_F(Requests, ThePhotoInJsonOrInAForm) {
  const std::string photo = png_file(10, 10);
  const std::string digits = to_base64(std::as_bytes(std::span(photo)));
  EXPECT_EQ(read(json("{\"photo\":\"" + digits + "\"}")).photo, photo);
  EXPECT_EQ(read(json("{\"photo\":\"data:image/png;base64," + digits + "\"}")).photo, photo);
  const SegmentRequest in_form = read(form(photo, R"({"classes":["cat"]})"));
  EXPECT_EQ(in_form.photo, photo);
  EXPECT_EQ(in_form.words.classes, std::vector<Words>{{"cat"}});
  ClientRequest png = form(photo, "{}");
  png.headers.emplace_back("accept", "image/png");
  EXPECT_TRUE(read(png).as_png);
}

TEST_F(Requests, WhatIsWrongIsNamed) {
  const auto expect = [&](const std::string& members, const std::string& part) {
    EXPECT_NE(refused(members).find(part), std::string::npos) << refused(members);
  };
  expect(R"("class":["cat"])", "\"class\" is not known | did you mean classes?");
  expect(R"("classes":"cat")", "classes: expected a list, found a text");
  expect(R"("classes":[["cat"]])", "classes[0]: expected a text or an object with a name");
  expect(R"("classes":[{"name":"a","synonym":["b"]}])", "did you mean synonyms?");
  expect(R"("classes":[{"synonyms":["b"]}])", "classes[0]: the name is missing");
  expect(R"("classes":[{"name":"a","synonyms":["b",1]}])",
         "classes[0].synonyms[1]: expected a text");
  expect(R"("background":"walls")", "true, false, \"common\" or a list");
  expect(R"("refine":"pamer")", "pamr");
  expect(R"("threshold":2)", "from 0 to 1");
  expect(R"("threshold":"high")", "threshold");
  expect(R"("threshold":1e999)", "not JSON");
  expect(R"("threshold":18446744073709551615)", "from 0 to 1");
  expect(R"("outputs":["label"])", "did you mean labels?");
  expect(R"("window":512)", "\"window\" is not known");
  expect(R"("max_pixels":1)", "\"max_pixels\" is not known");
  expect(R"("photo":"AAAA")", "both an encoding and a photo");
  expect(R"("photo":"A A")", "photo: not base64");
  EXPECT_EQ(status(json("[]")), 400);
  EXPECT_EQ(status(json("{\"a\":")), 400);
  EXPECT_EQ(status(json("{}")), 400);
  EXPECT_EQ(status(json("")), 400);
  EXPECT_EQ(status(form("", "{}")), 400);
}

TEST_F(Requests, LimitsAndTypesHaveAStatusOfTheirOwn) {
  const auto members = [](const std::string& text) {
    return json("{\"encoding\":\"id\"," + text + "}");
  };
  EXPECT_EQ(status(members(R"("classes":["a","b","c"])")), 200);
  EXPECT_EQ(status(members(R"("classes":["a","b","c","d"])")), 413);
  EXPECT_EQ(status(members(R"("classes":[{"name":"a","synonyms":["b","c","d"]}])")), 413);
  EXPECT_EQ(status(members(R"("classes":["ten bytes."])")), 200);
  EXPECT_EQ(status(members(R"("classes":["eleven byte"])")), 413);
  std::string many = "\"classes\":[0";
  for (int i = 0; i < 200'000; ++i) many += ",0";
  EXPECT_EQ(status(members(many + "]")), 413);
  EXPECT_EQ(status(form(png_file(10, 10), "{}")), 200);
  EXPECT_EQ(status(form(png_file(10, 11), "{}")), 413);
  EXPECT_EQ(status(form("GIF89a", "{}")), 415);
  limits_.windows_of = [](int width, int height) { return static_cast<size_t>(width / height); };
  limits_.windows = 5;
  EXPECT_EQ(status(form(png_file(10, 2), "{}")), 200);
  EXPECT_EQ(status(form(png_file(6, 1), "{}")), 413);
  ClientRequest text{.headers = {{"content-type", "text/plain"}}, .body = "{}"};
  EXPECT_EQ(status(text), 415);
  text.headers.clear();
  EXPECT_EQ(status(text), 415);
}

TEST_F(Requests, AnEncodingIsAskedForByABodyOrAForm) {
  const std::string photo = png_file(10, 10);
  EXPECT_EQ(
      read_encoding_request({.headers = {{"content-type", "image/png"}}, .body = photo}, limits_),
      photo);
  EXPECT_EQ(read_encoding_request({.body = photo}, limits_), photo);
  ClientRequest with_words = form(photo, "{}");
  EXPECT_NE(bad_input_text([&] {
              read_encoding_request(with_words, limits_);
            }).find("the form: \"request\" is not known"),
            std::string::npos);
  EXPECT_NE(bad_input_text([&] { read_encoding_request({}, limits_); }).find("no photo"),
            std::string::npos);
}

}  // namespace
}  // namespace tagclip
