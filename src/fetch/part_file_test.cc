#include "fetch/part_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/error.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

void append(PartFile& part, std::string_view text) {
  part.append(std::as_bytes(std::span(text.data(), text.size())));
}

std::string content(const PartFile& part) {
  std::string text;
  part.read([&](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return text;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_empty(const TestDir& folder) { return std::filesystem::is_empty(folder.path()); }

TEST(PartFile, GrowsFromRunToRunAndAppearsAtTheEnd) {
  const TestDir folder;
  {
    PartFile part(folder / "x");
    append(part, "one ");
    part.set_origin("here");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  PartFile part(folder / "x");
  EXPECT_EQ(part.size(), 4);
  EXPECT_EQ(part.origin(), "here");
  append(part, "two");
  EXPECT_EQ(content(part), "one two");
  part.commit();
  EXPECT_EQ(content(folder / "x"), "one two");
  EXPECT_FALSE(std::filesystem::exists(folder / "x.part"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x.part.origin"));
}

TEST(PartFile, RestartForgetsBytesAndOrigin) {
  const TestDir folder;
  PartFile part(folder / "x");
  append(part, "of no use");
  part.set_origin("there");
  part.restart();
  EXPECT_EQ(part.size(), 0);
  EXPECT_EQ(part.origin(), "");
  append(part, "new");
  EXPECT_EQ(content(part), "new");
}

TEST(PartFile, LeavesNothingWhereThereIsNothingToGoOnFrom) {
  const TestDir folder;
  {
    PartFile part(folder / "x");
  }
  EXPECT_TRUE(is_empty(folder));
  {
    PartFile part(folder / "x");
    append(part, "wrong");
    part.set_origin("there");
    part.discard();
  }
  EXPECT_TRUE(is_empty(folder));
}

TEST(PartFile, NeverWritesThroughALink) {
  const TestDir folder;
  std::filesystem::create_symlink(folder / "elsewhere", folder / "x.part");
  EXPECT_THROW(PartFile(folder / "x"), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST(PartFile, NamesThePlaceThatCannotBeWrittenTo) {
  try {
    PartFile part("/proc/none/x");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot write /proc/none/x.part: No such file or directory");
  }
}

}  // namespace
}  // namespace tagclip
