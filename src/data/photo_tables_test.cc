#include "data/photo_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PhotoTables : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& content) const {
    write_file(dir_ / "table.tsv", content);
    return dir_ / "table.tsv";
  }
  std::string refused_captions(const std::string& content) const {
    return refused([&] { read_captions(file(content)); });
  }
  std::string refused_names(const std::string& content) const {
    return refused([&] { read_soft_names(file(content), 3); });
  }

 private:
  template <class Read>
  static std::string refused(const Read& read) {
    try {
      read();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    ADD_FAILURE() << "the table was accepted";
    return {};
  }

  TestDir dir_;
};

TEST_F(PhotoTables, ReadsCaptions) {
  const auto table =
      read_captions(file("\xEF\xBB\xBF"
                         "a/b 1\ta dog\ttwo  dogs \t\r\n\nc\tcafé\n"));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_THAT(table.at("a/b 1"), ElementsAre("a dog", "two  dogs"));
  EXPECT_THAT(table.at("c"), ElementsAre("café"));
}

TEST_F(PhotoTables, ReadsSoftNames) {
  const auto table = read_soft_names(file("a\t2:0.75 0:0.2\nb\t1:1\n"), 3);
  EXPECT_EQ(table.size(), 2u);
  ASSERT_EQ(table.at("a").size(), 2u);
  EXPECT_EQ(table.at("a")[0].name, 2);
  EXPECT_FLOAT_EQ(table.at("a")[0].probability, 0.75F);
  EXPECT_EQ(table.at("b")[0].name, 1);
}

TEST_F(PhotoTables, RefusesBrokenTables) {
  EXPECT_THAT(refused_captions("a\tx\n\nb\n"), HasSubstr("line 3: nothing stands behind \"b\""));
  EXPECT_THAT(refused_captions("a\tx\nb\ty\na\tz\n"), HasSubstr("line 3: \"a\" is on line 1"));
  EXPECT_THAT(refused_captions("a\tx\nb\t\xFFy\n"), HasSubstr("line 2: byte 0 (0xff)"));
  EXPECT_THAT(refused_captions("a\x01\tx\n"), HasSubstr("line 1: holds the control character"));
  EXPECT_THAT(refused_captions("\n\n"), HasSubstr("holds no line"));
  EXPECT_THAT(refused_captions(std::string("a\0\t\0x\0\n\0", 8)), HasSubstr("UTF-16"));
  EXPECT_THAT(refused_captions(std::string(1001, 'k') + "\tx\n"), HasSubstr("1001 bytes"));
  EXPECT_THAT(refused_captions("a\t" + std::string(10001, 'x') + "\n"),
              HasSubstr("line 1: a caption has 10001 bytes"));
}

TEST_F(PhotoTables, RefusesWhatIsNoProbabilityOfAName) {
  for (const char* wrong : {"0", "0:", ":0.5", "0:x", "0.5:0.5", "0:0.5x", "zero:0.5"}) {
    EXPECT_THAT(refused_names(std::string("a\t1:0.1 ") + wrong + "\n"),
                HasSubstr("line 1: expected NAME:PROBABILITY"))
        << wrong;
  }
  for (const char* wrong : {"0:nan", "0:inf", "0:-0.1", "0:0", "0:1.5", "0:1e30"}) {
    EXPECT_THAT(refused_names(std::string("a\t") + wrong + "\n"),
                HasSubstr("line 1: expected a probability above 0 and up to 1"))
        << wrong;
  }
  EXPECT_THAT(refused_names("a\t3:0.5\n"), HasSubstr("no name 3; the list has 3, counted from 0"));
  EXPECT_THAT(refused_names("a\t-1:0.5\n"), HasSubstr("no name -1"));
  EXPECT_THAT(refused_names("a\t1:0.5 1:0.1\n"), HasSubstr("the name 1 comes twice"));
  EXPECT_THAT(refused_names("a\t1:0.6 2:0.6\n"), HasSubstr("add up to more than 1"));
}

}  // namespace
}  // namespace tagclip
