#include "text/class_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string_view>

#include "base/files.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "text/simple_yaml.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Words = std::vector<std::vector<std::string>>;

class ReadClassFile : public testing::Test {
 protected:
  std::vector<ListedClass> read(std::string_view text, const char* name = "words.txt") {
    write_file(dir_ / name, text);
    return read_class_file(dir_ / name);
  }
  Words words(std::string_view text, const char* name = "words.txt") {
    Words result;
    for (const ListedClass& entry : read(text, name)) result.push_back(entry.words);
    return result;
  }
  std::string refusal(std::string_view text, const char* name = "words.txt") {
    return bad_input_text([&] { read(text, name); });
  }
  TestDir dir_;
};

Words listed(std::string_view text) {
  Words result;
  for (const ListedClass& entry : parse_class_list(text, "list")) result.push_back(entry.words);
  return result;
}

const Words kHouse = {{"building, edifice"}, {"sky"}};

TEST_F(ReadClassFile, ALineIsAClassAndSeparatorsAreThoseOfSynonyms) {
  EXPECT_EQ(
      words("sofa, couch\n# seats\n\nsky;heavens\nroad\uFF0Cstreet\uFF1Blane\u3001way|path\n"),
      (Words{{"sofa", "couch"}, {"sky", "heavens"}, {"road", "street", "lane", "way", "path"}}));
}

TEST_F(ReadClassFile, QuotesKeepCommas) {
  EXPECT_EQ(words("\"building, edifice\"\nsky\n"), kHouse);
  EXPECT_EQ(words("'building, edifice'\nsky\n"), kHouse);
  EXPECT_EQ(words("\u201Cbuilding, edifice\u201D\nsky\n"), kHouse);
  EXPECT_EQ(words("\"a \"\"big\"\" dog\", 'tis, rock 'n' roll\n"),
            (Words{{"a \"big\" dog", "'tis", "rock 'n' roll"}}));
  EXPECT_THAT(refusal("sky\n\"building, edifice\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("quote")));
}

TEST_F(ReadClassFile, WrittenWordsAreReadBack) {
  for (const char* word : {"building, edifice", "a|b", "#1", "12", "\"so\"", "'tis", "[x]", "plain",
                           "\uFF0Cx", "5\" pipe"}) {
    EXPECT_EQ(words(quoted_word(word) + "\nsky\n"), (Words{{word}, {"sky"}})) << word;
  }
}

TEST_F(ReadClassFile, NumberedLines) {
  const Words two = {{"building", "edifice"}, {"sky"}};
  for (const char* text : {"0: building, edifice\n1: sky\n", "0:building,edifice\n1:sky\n",
                           "1) building, edifice\n2) sky\n", "1. building, edifice\n2. sky\n",
                           "0 building, edifice\n1 sky\n", "0\tbuilding, edifice\n1\tsky\n",
                           "0,building,edifice\n1,sky\n", "0;building;edifice\n1;sky\n"}) {
    const auto classes = read(text);
    ASSERT_EQ(classes.size(), 2U) << text;
    EXPECT_EQ((Words{classes[0].words, classes[1].words}), two) << text;
    EXPECT_EQ(*classes[1].id - *classes[0].id, 1) << text;
  }
  // Numbers that are no numbering belong to the words.
  EXPECT_EQ(words("7 eleven\nsky\n"), (Words{{"7 eleven"}, {"sky"}}));
  EXPECT_EQ(words("12\n17\n"), (Words{{"12"}, {"17"}}));
}

TEST_F(ReadClassFile, MarksBeforeNamesAreTakenOff) {
  const Words two = {{"sky"}, {"sea", "ocean"}};
  for (const char* text :
       {"- sky\n- sea, ocean\n", "* sky\n* sea, ocean\n", "0\uFF1Asky\n1\uFF1Asea, ocean\n",
        "2: sea, ocean\n0: sky\n", "n01440764 sky\nn01443537 sea, ocean\n"}) {
    EXPECT_EQ(words(text), two) << text;
  }
  EXPECT_THAT(refusal("0: sky\n0: sea\n"), HasSubstr("the number 0 is that of \"sky\", too"));
  EXPECT_EQ(words("- sky\nsea\n"), (Words{{"- sky"}, {"sea"}}));
}

TEST_F(ReadClassFile, ColoursAreTakenOff) {
  const Words two = {{"sky"}, {"traffic light"}};
  for (const char* text :
       {"# label:color_rgb:parts:actions\nsky:0,0,0::\ntraffic light:128,64,128::\n",
        "sky: 1,2,3\ntraffic light: 128,64,128\n", "64 128 64 sky\n192 0 128 traffic light\n",
        "64 128 64\tsky\n192 0 128\ttraffic light\n", "sky #804080\ntraffic light #112233\n",
        "#804080 sky\n#112233 traffic light\n", "sky\t1 2 3\ntraffic light\t4 5 6\n",
        "1 0 0 9 traffic light\n0 7 8 9 sky\n"}) {
    EXPECT_EQ(words(text), two) << text;
  }
}

TEST_F(ReadClassFile, WhatSurroundsALineOrAList) {
  const Words two = {{"sky"}, {"sea"}};
  EXPECT_EQ(words("sky  # the blue above\nsea\t# below\n"), two);
  EXPECT_EQ(words("C# code\nsea\n"), (Words{{"C# code"}, {"sea"}}));
  EXPECT_EQ(words("sky\rsea\r"), two);
  EXPECT_EQ(words("\u200Bsky\n\uFEFFsea\u200E\n"), two);
  EXPECT_EQ(words("CLASSES = ('sky',\n           'sea')\n"), two);
  EXPECT_EQ(words("names = [\"sky\", \"sea\"]\n"), two);
  EXPECT_EQ(words("sky,sea\n", "a.csv"), two);
  EXPECT_EQ(words("\"sea, ocean\",sky\n", "a.csv"), (Words{{"sea, ocean"}, {"sky"}}));
  EXPECT_EQ(listed("('sky', 'sea')"), two);
}

TEST_F(ReadClassFile, WhatIsNoListIsRefused) {
  EXPECT_THAT(refusal("{\\rtf1\\ansi sky\\par sea}"), HasSubstr("is rich text (RTF)"));
  EXPECT_THAT(refusal("<!DOCTYPE html><p>sky</p>"), HasSubstr("is an HTML page"));
  EXPECT_THAT(refusal("item {\n  name: \"sky\"\n}\n"),
              HasSubstr("line 1: \"item {\" has a bracket"));
  EXPECT_THAT(bad_input_text([] { parse_class_list("tree (big, old), sky", "list"); }),
              HasSubstr("entry 1: \"tree (big\" has a bracket"));
  EXPECT_EQ(listed("\"tree (big, old)\", sky (blue)"),
            (Words{{"tree (big, old)"}, {"sky (blue)"}}));
}

TEST_F(ReadClassFile, Tables) {
  const Words two = {{"sky"}, {"traffic light"}};
  EXPECT_EQ(words("name,r,g,b\nsky,128,128,128\ntraffic light,0,64,64\n", "a.csv"), two);
  EXPECT_EQ(words("sky,128,128,128\ntraffic light,0,64,64\n", "a.csv"), two);
  EXPECT_EQ(words("id;name\n0;sky\n1;traffic light\n", "a.csv"), two);
  EXPECT_EQ(words("class\nsky\ntraffic light\n", "a.csv"), two);
  EXPECT_EQ(words("id,name\n1,traffic light\n0,sky\n", "a.csv"), two);  // in the order of ids
  EXPECT_EQ(words("Idx\tRatio\tName\n1\t0.15\tbuilding, edifice\n2\t0.1\tsky\n"),
            (Words{{"building", "edifice"}, {"sky"}}));
  EXPECT_EQ(words("\"building, edifice\",1\nsky,2\n", "a.csv"), kHouse);
}

TEST_F(ReadClassFile, Json) {
  const Words two = {{"sky"}, {"traffic light"}};
  for (
      const char* text :
      {R"(["sky", "traffic light"])", R"({"1": "traffic light", "0": "sky"})",
       R"({"sky": 0, "traffic light": 1})", R"({"names": ["sky", "traffic light"]})",
       R"({"id2label": {"10": "traffic light", "9": "sky"}, "hidden_size": 8})",
       R"({"info": {}, "categories": [{"id": 7, "name": "traffic light"}, {"id": 3, "name": "sky"}]})",
       R"([{"id": 3, "name": "sky"}, {"id": 7, "name": "traffic light"}])",
       "['sky', 'traffic light']"}) {
    EXPECT_EQ(words(text, "a.json"), two) << text;
    EXPECT_EQ(words(text), two) << text;
  }
  EXPECT_EQ(words(R"([["sofa", "couch"], "sky"])"), (Words{{"sofa", "couch"}, {"sky"}}));
  EXPECT_EQ(words(R"(["building, edifice", "sky"])"), kHouse);
  EXPECT_EQ(words(R"([{"name": "sofa", "synonyms": ["sofa", "couch"]}])"),
            (Words{{"sofa", "couch"}}));
  EXPECT_EQ(words(R"({"0": ["n01440764", "tench"]})", "a.json"), (Words{{"tench"}}));
}

TEST_F(ReadClassFile, Yaml) {
  const Words two = {{"sky"}, {"traffic light"}};
  for (const char* text :
       {"path: ../data  # root\nnc: 2\nnames:\n  0: sky\n  1: traffic light\n",
        "names: ['sky', \"traffic light\"]\n", "names: {0: sky, 1: traffic light}\n",
        "train: images\nnames:\n- sky\n- traffic light  # red\n",
        "names: [sky,\n  traffic light]\n", "- sky\n- traffic light\n",
        "categories:\n  - id: 1\n    name: sky\n  - id: 2\n    name: traffic light\n"}) {
    EXPECT_EQ(words(text, "data.yaml"), two) << text;
  }
  EXPECT_THAT(refusal("names: &a\n  - sky\n", "a.yaml"), HasSubstr("YAML is not understood"));
  EXPECT_THAT(refusal("path: x\ntrain: y\n", "a.yaml"), HasSubstr("expected numbers and names"));
}

TEST_F(ReadClassFile, WhatCannotBeMeant) {
  EXPECT_THAT(refusal("[1, 2]", "a.json"), AllOf(HasSubstr("class 1"), HasSubstr("found number")));
  EXPECT_THAT(refusal("{\"a\": \"b\"}", "a.json"), HasSubstr("expected numbers and names"));
  EXPECT_THAT(refusal("sky, sea", "a.json"), HasSubstr("is no JSON"));
  EXPECT_THAT(refusal("[]", "a.json"), HasSubstr("no class in it"));
  EXPECT_THAT(refusal("id,name\n3,sky\n3,sea\n", "a.csv"),
              AllOf(HasSubstr("line 3"), HasSubstr("number 3"), HasSubstr("sky")));
  EXPECT_THAT(refusal(std::string("\xFF\xFEs\0k\0y\0\n\0", 10)),
              AllOf(HasSubstr("UTF-16"), HasSubstr("iconv")));
  EXPECT_THAT(refusal(std::string("s\0k\0y\0\r\0\n\0", 10)), HasSubstr("UTF-16"));
}

TEST_F(ReadClassFile, AnArrayIsNoText) {
  EXPECT_THAT(refusal(std::string("\x93NUMPY\1\0v\0{'descr': '<f4'", 24)),
              AllOf(HasSubstr("is no text"), HasSubstr("text_embeddings")));
}

TEST(ClassList, OneKindOfSeparator) {
  const Words three = {{"cat"}, {"traffic light"}, {"sky"}};
  for (const char* text : {"cat, traffic light,sky", "cat;traffic light; sky",
                           "cat\uFF0Ctraffic light\uFF0Csky", "cat\u3001traffic light\u3001sky",
                           "cat | traffic light | sky", "cat\uFF1Btraffic light\uFF1Bsky",
                           "cat\ntraffic light\nsky", R"(["cat", "traffic light", "sky"])",
                           "['cat', 'traffic light', 'sky']", "0: cat, 1: traffic light, 2: sky"}) {
    EXPECT_EQ(listed(text), three) << text;
  }
  EXPECT_EQ(listed("\"building, edifice\", sky"), kHouse);
  EXPECT_EQ(listed("\"cat; dog\""), (Words{{"cat; dog"}}));
  EXPECT_EQ(listed("<|endoftext|>, cat"), (Words{{"<|endoftext|>"}, {"cat"}}));
  EXPECT_THAT(bad_input_text([] { listed("sofa, couch; sky"); }),
              AllOf(HasSubstr("several kinds of separators"), HasSubstr("into a file")));
}

TEST(ClassList, ChangedBytesAreReadOrRefused) {
  const std::string texts[] = {
      "0: sky, \"a, b\"\n1: road; street\n",
      R"({"categories": [{"id": 1, "name": "sky"}, {"id": 2, "name": "a"}]})",
      "['sky', \"traffic light\", {a: [b, c]}]",
      "names:\n  - id: 1\n    name: sky  # blue\n  - id: 2\n    name: a\n"};
  constexpr std::string_view kBytes = "\"'{}[],:;|-# \n\tab0\xC3";
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = texts[round % std::size(texts)];
    for (int i = 0; i <= round % 5; ++i) {
      text[random() % text.size()] = kBytes[random() % kBytes.size()];
    }
    parse_simple_yaml(text);
    try {
      for (const ListedClass& entry : parse_class_list(text, "list")) {
        EXPECT_FALSE(entry.words.empty()) << text;
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
  }
}

// Bounded work and no crash for whatever is taken for YAML.
TEST(SimpleYaml, RefusesWhatIsNotSimple) {
  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "- ";
  for (const std::string& text :
       {std::string(100'000, '['), nested + "a", std::string("a: \"b"), std::string("a:\n\t- b"),
        std::string("{a: b, a: c}"), std::string("a: |\n  b"), std::string("- a\n b: c\n"),
        std::string("'"), std::string("a: b\n---\nc: d")}) {
    EXPECT_FALSE(parse_simple_yaml(text)) << text.substr(0, 20);
  }
  EXPECT_EQ(parse_simple_yaml("a: [b, {c: 'd''s'}]"),
            (nlohmann::json{{"a", {"b", {{"c", "d's"}}}}}));
}

}  // namespace
}  // namespace tagclip
