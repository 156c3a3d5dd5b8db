#include "text/list_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string message_of(const std::filesystem::path& path) {
  try {
    read_names(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "no error";
}

TEST(ReadNames, ReadsEntries) {
  TestDir dir;
  write_file(dir / "list.txt", "sky\r\nwater\r\n");
  EXPECT_THAT(read_names(dir / "list.txt"), ElementsAre("sky", "water"));
}

TEST(SplitNames, TakesLinesOrWhatEndsInNul) {
  using std::string_literals::operator""s;
  const auto names = [](const std::string& text) {
    const SplitNames list = split_names(text, "the list");
    return std::vector<std::string>(list.names.begin(), list.names.end());
  };
  EXPECT_THAT(names("\xEF\xBB\xBF"
                    "a.jpg\r\nb c .jpg\n\n"),
              ElementsAre("a.jpg", "b c .jpg"));
  EXPECT_THAT(names("a\nb.jpg\0c.jpg\0"s), ElementsAre("a\nb.jpg", "c.jpg"));
  EXPECT_TRUE(split_names("a\0"s, "").nul_separated);
  EXPECT_FALSE(split_names("a\n", "").nul_separated);
  EXPECT_THAT(names(""), ElementsAre());
}

TEST(SplitNames, Utf16IsNamed) {
  TestDir dir;
  write_file(dir / "list.txt", std::string("\xFF\xFE"
                                           "a\0\n\0",
                                           6));
  EXPECT_THAT(message_of(dir / "list.txt"), HasSubstr("list.txt: UTF-16 text, expected UTF-8"));
}

TEST(NamesFile, APathThatCannotBeReachedIsNoWord) {
  TestDir dir;
  std::filesystem::create_symlink("loop", dir / "loop");
  EXPECT_THROW(names_file((dir / "loop").string()), Error);
  EXPECT_THROW(names_file(std::string(300, 'x') + ".txt"), Error);
  EXPECT_FALSE(names_file("cat, " + std::string(300, 'x')));
  EXPECT_FALSE(names_file("cat"));
  EXPECT_FALSE(names_file(dir.path().string()));
}

TEST(ReadNames, NamesTheLineInError) {
  TestDir dir;
  write_file(dir / "twice.txt", "sky\nwater\nsky\n");
  EXPECT_THAT(message_of(dir / "twice.txt"),
              HasSubstr("twice.txt, line 3: repeats \"sky\" of line 1"));
  write_file(dir / "hole.txt", "sky\n\nwater\n");
  EXPECT_THAT(message_of(dir / "hole.txt"), HasSubstr("hole.txt, line 2: is empty"));
  write_file(dir / "latin1.txt", "sky\nB\xE4ume\n");
  EXPECT_THAT(message_of(dir / "latin1.txt"),
              HasSubstr("latin1.txt, line 2: byte 1 (0xe4) is not valid UTF-8"));
  write_file(dir / "long.txt", std::string(1001, 'a'));
  EXPECT_THAT(message_of(dir / "long.txt"), HasSubstr("line 1: is longer than 1000 bytes"));
  write_file(dir / "none.txt", "\n");
  EXPECT_THAT(message_of(dir / "none.txt"), HasSubstr("none.txt is empty"));
  EXPECT_THAT(message_of(dir / "missing.txt"), HasSubstr("missing.txt"));
  EXPECT_THAT(message_of(dir.path()), HasSubstr("cannot read"));
}

TEST(ReadNames, RefusesHugeFilesUnread) {
  TestDir dir;
  write_file(dir / "huge.txt", "a\n");
  std::filesystem::resize_file(dir / "huge.txt", uintmax_t{1} << 34);
  EXPECT_THAT(message_of(dir / "huge.txt"), HasSubstr("larger than 256 MiB"));
}

}  // namespace
}  // namespace tagclip
