#include "weights/torch/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "weights/torch/test_archive.h"

namespace tagclip {
namespace {

using pickles::as_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string read_text(const ZipArchive& archive, std::string_view entry) {
  const auto bytes = archive.read(entry);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string why_refused(const std::string& bytes) {
  return bad_input_text([&] { ZipArchive(as_bytes(bytes), "a.zip"); });
}

TEST(ZipArchive, EntriesLieInTheFile) {
  for (const bool zip64 : {false, true}) {
    const std::string bytes =
        ZipWriter(0, zip64).write({{"a/one", "first"}, {"a/two", ""}, {"three", "third"}});
    const ZipArchive archive(as_bytes(bytes), "a.zip");
    EXPECT_EQ(archive.entries().size(), 3u);
    EXPECT_TRUE(archive.contains("a/two"));
    EXPECT_FALSE(archive.contains("two"));
    EXPECT_EQ(read_text(archive, "a/one"), "first");
    EXPECT_EQ(read_text(archive, "a/two"), "");
    EXPECT_EQ(read_text(archive, "three"), "third");
    EXPECT_EQ(reinterpret_cast<const char*>(archive.read("three").data()),
              bytes.data() + bytes.find("third"));
  }
}

TEST(ZipArchive, NoEntries) {
  const std::string bytes = ZipWriter().write({});
  EXPECT_TRUE(ZipArchive(as_bytes(bytes), "a.zip").entries().empty());
}

TEST(ZipArchive, BeyondFourGigabytes) {
  const TestDir dir;
  constexpr uint64_t kOffset = (uint64_t{1} << 32) + 4096;
  {
    std::ofstream file(dir / "large.zip");
    file.seekp(kOffset);  // leaves a hole that takes no disk
    file << ZipWriter(kOffset, /*zip64=*/true).write({{"a", "far away"}});
  }
  const MappedFile mapping(dir / "large.zip");
  EXPECT_EQ(read_text(ZipArchive(mapping.bytes(), "large.zip"), "a"), "far away");
}

TEST(ZipArchive, CompressedEntriesCannotBeRead) {
  const std::string bytes = ZipWriter().write({{"code", "x", 8}, {"data", "y"}});
  const ZipArchive archive(as_bytes(bytes), "a.zip");
  EXPECT_EQ(read_text(archive, "data"), "y");
  EXPECT_THAT(bad_input_text([&] { archive.read("code"); }),
              AllOf(HasSubstr("a.zip: entry \"code\" is compressed"), HasSubstr("torch.save")));
  EXPECT_THAT(bad_input_text([&] { archive.read("none"); }), HasSubstr("no entry \"none\""));
}

TEST(ZipArchive, NamesThatStandTwice) {
  EXPECT_THAT(why_refused(ZipWriter().write({{"a", "1"}, {"b", "2"}, {"a", "3"}})),
              HasSubstr("a.zip: damaged zip archive: entry \"a\" is there twice"));
}

TEST(ZipArchive, SizesBeyondTheFile) {
  for (const bool zip64 : {false, true}) {
    for (const uint64_t size : {uint64_t{1000}, uint64_t{0xFFFFFFFE}}) {
      EXPECT_THAT(why_refused(ZipWriter(0, zip64).write({{"a", "1", 0, size}})),
                  HasSubstr("entry \"a\" is cut off"));
    }
  }
  EXPECT_THAT(why_refused(ZipWriter(0, true).write({{"a", "1", 0, ~uint64_t{0} - 1}})),
              HasSubstr("entry \"a\" is cut off"));
}

TEST(ZipArchive, PlacesBeyondTheFile) {
  std::string bytes = ZipWriter().write({{"a", "1"}});
  const size_t line = bytes.find("PK\x01\x02");
  bytes.replace(line + 42, 4, "\xF0\xFF\xFF\xFF");
  EXPECT_THAT(why_refused(bytes), HasSubstr("entry \"a\" lies beyond the end"));
}

TEST(ZipArchive, HeadersThatContradictTheDirectory) {
  const std::string sound = ZipWriter().write({{"a", "1"}, {"b", "2"}});
  std::string bytes = sound;
  bytes[30] = 'x';
  EXPECT_THAT(why_refused(bytes), HasSubstr("bears another name"));
  bytes = sound;
  bytes[0] = 'x';
  EXPECT_THAT(why_refused(bytes), HasSubstr("does not begin where the directory says"));
  bytes = sound;
  bytes[bytes.find("PK\x05\x06") + 10] = 3;
  EXPECT_THAT(why_refused(bytes), HasSubstr("3 entries expected, its directory holds 2"));
}

TEST(ZipArchive, ACommentBehindTheDirectory) {
  std::string bytes = ZipWriter().write({{"a", "1"}});
  bytes[bytes.size() - 2] = 5;
  const std::string commented = bytes + "hello";
  EXPECT_EQ(read_text(ZipArchive(as_bytes(commented), "a.zip"), "a"), "1");
}

TEST(ZipArchive, EveryTruncationIsAnError) {
  for (const bool zip64 : {false, true}) {
    const std::string bytes = ZipWriter(0, zip64).write({{"a", "first"}, {"b", "second"}});
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_THROW(ZipArchive(as_bytes(bytes).first(length), "cut"), Error) << length;
    }
  }
}

TEST(ZipArchive, EveryChangedByteEndsWell) {
  for (const bool zip64 : {false, true}) {
    const std::string sound = ZipWriter(0, zip64).write({{"a", "first"}, {"b", "second"}});
    for (size_t at = 0; at < sound.size(); ++at) {
      for (const char value : {'\0', '\x01', '\x7F', '\xFF'}) {
        std::string bytes = sound;
        bytes[at] = value;
        try {
          const ZipArchive archive(as_bytes(bytes), "changed");
          for (const auto& [name, entry] : archive.entries()) {
            if (!entry.is_plain) continue;
            EXPECT_LE(archive.read(name).size(), bytes.size());
          }
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tagclip
