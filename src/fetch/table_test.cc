#include "fetch/table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

constexpr const char* kSha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// A table of one checkpoint with these lines in it, and one file with those.
std::string table(const std::string& entry, const std::string& file) {
  return fmt::format("[[checkpoint]]\nabout = 'a'\nlicence = 'MIT'\n{}\n[[checkpoint.files]]\n{}\n",
                     entry, file);
}

const std::string kEntry = "name = 'a'\nuse = 'clip'";
const std::string kFile = "name = 'a.pt'\nurl = 'https://a.org/a.pt'";

std::string error_of(const std::string& text) {
  try {
    parse_table(text, "my.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "no error";
}

TEST(Address, OfTheWeb) {
  for (const char* good : {"https://a.org/x", "http://localhost:80", "https://u:p@a.org/x?y#z"}) {
    EXPECT_TRUE(is_web_address(good)) << good;
  }
  for (const char* bad :
       {"", "https://", "https:///x", "http://?x", "file:///etc/passwd", "ftp://a.org", "a.org/x",
        "https:/a.org", "HTTPS//a", "https://a.org/a b", "https://a\r\nb"}) {
    EXPECT_FALSE(is_web_address(bad)) << bad;
  }
}

TEST(Address, IsShownWithoutSecrets) {
  EXPECT_EQ(without_secrets("https://a.org/x/y.pt"), "https://a.org/x/y.pt");
  EXPECT_EQ(without_secrets("https://me:secret@a.org/x@y"), "https://a.org/x@y");
  EXPECT_EQ(without_secrets("https://a.org/x?token=secret#part"), "https://a.org/x");
  EXPECT_EQ(without_secrets("https://me@a.org"), "https://a.org");
}

TEST(BuiltinTable, IsSound) {
  const CheckpointTable known = builtin_table();
  EXPECT_GE(known.size(), 9u);
  std::set<std::string> addresses;
  for (const PublishedCheckpoint& checkpoint : known) {
    EXPECT_LE(checkpoint.about.size(), 60u) << checkpoint.name;
    for (const CheckpointFile& file : checkpoint.files) {
      if (file.url.empty()) {
        EXPECT_TRUE(checkpoint.page.starts_with("https://")) << checkpoint.name;
        continue;
      }
      EXPECT_TRUE(file.url.starts_with("https://")) << file.url;
      EXPECT_TRUE(addresses.insert(file.url).second) << file.url << " comes twice";
    }
  }
}

TEST(BuiltinTable, OpenAisAddressesHoldTheChecksum) {
  int seen = 0;
  for (const PublishedCheckpoint& checkpoint : builtin_table()) {
    const CheckpointFile& file = checkpoint.files.front();
    if (!file.url.starts_with("https://openaipublic.")) continue;
    EXPECT_THAT(file.url, HasSubstr("/" + file.sha256 + "/" + file.name));
    ++seen;
  }
  EXPECT_EQ(seen, 4);
}

TEST(ParseTable, ReadsEveryKey) {
  const std::string text =
      table(kEntry + "\npage = 'https://a.org'",
            kFile + fmt::format("\nsha256 = '{}'\nsize = 7\n[[checkpoint.files]]\nname = 'b.json'",
                                kSha));
  const CheckpointTable read = parse_table(text, "my.toml");
  ASSERT_EQ(read.size(), 1u);
  const PublishedCheckpoint& a = read.front();
  EXPECT_EQ(a.name + a.about + a.licence + a.page, "aaMIThttps://a.org");
  EXPECT_EQ(a.use, CheckpointUse::kClip);
  ASSERT_EQ(a.files.size(), 2u);
  EXPECT_EQ(a.files[0].name + a.files[0].url + a.files[0].sha256,
            "a.pthttps://a.org/a.pt" + std::string(kSha));
  EXPECT_EQ(a.files[0].size, 7);
  EXPECT_EQ(a.files[1].url, "");
  EXPECT_TRUE(a.is_folder());
  EXPECT_FALSE(a.size().has_value()) << "one size is unknown";
}

TEST(ParseTable, RefusesAndSaysWhere) {
  EXPECT_EQ(error_of(table(kEntry, kFile)), "no error");
  EXPECT_THAT(error_of("[[checkpoint]"), HasSubstr("my.toml:1:"));
  EXPECT_THAT(error_of(""), HasSubstr("no [[checkpoint]] here"));
  EXPECT_THAT(error_of("checkpoint = 3"), HasSubstr("no [[checkpoint]] here"));
  EXPECT_THAT(error_of("checkpoint = [3]"), HasSubstr("not a list of tables"));
  EXPECT_THAT(error_of(table("use = 'clip'", kFile)), HasSubstr("my.toml:1:1: name is missing"));
  EXPECT_THAT(error_of(table("name = 'a'\nuse = 'both'", kFile)),
              HasSubstr("expected clip or model"));
  EXPECT_THAT(error_of(table(kEntry + "\npages = 'https://a.org'", kFile)),
              HasSubstr("there is no key pages; did you mean page?"));
  EXPECT_THAT(error_of(table(kEntry, kFile + "\nsize = 0")), HasSubstr("bytes above 0"));
  EXPECT_THAT(error_of(table(kEntry, kFile + "\nsize = '7'")), HasSubstr("bytes above 0"));
  EXPECT_THAT(error_of(table(kEntry, kFile + "\nsha256 = 'BA78'")), HasSubstr("64 digits"));
  EXPECT_THAT(error_of(table(kEntry, "name = 'a.pt'\nurl = 'file:///etc/passwd'")),
              HasSubstr("expected https:// or http://"));
  EXPECT_THAT(error_of(table(kEntry, "name = 'a.pt'")), HasSubstr("neither the file has a url"));
  EXPECT_THAT(error_of(table(kEntry, kFile) + table(kEntry, kFile)),
              HasSubstr("a second checkpoint"));
  EXPECT_THAT(error_of(table(kEntry, kFile) + table("name = 'b'\nuse = 'clip'", kFile)),
              HasSubstr("a.pt is kept for two checkpoints"));
  EXPECT_THAT(error_of(table(kEntry, kFile + "\n[[checkpoint.files]]\n" + kFile)),
              HasSubstr("a second file is called a.pt"));
}

TEST(ParseTable, NamesNeverLeaveTheFolder) {
  for (const char* name : {"../x", "/x", "a/b", ".", "..", ".hidden", "-x", "", "a b", "a\\\\b"}) {
    EXPECT_NE(error_of(table(fmt::format("name = \"{}\"\nuse = 'clip'", name), kFile)), "no error")
        << name;
    EXPECT_NE(error_of(table(kEntry, fmt::format("name = \"{}\"\nurl = 'https://a.org'", name))),
              "no error")
        << name;
  }
}

TEST(FindCheckpoint, ListsTheNamesAndSuggestsTheNearest) {
  const CheckpointTable known = builtin_table();
  EXPECT_EQ(find_checkpoint(known, "ViT-L-14").files.front().name, "ViT-L-14.pt");
  try {
    find_checkpoint(known, "ViT-B16");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("called 'ViT-B16'"));
    for (const PublishedCheckpoint& checkpoint : known)
      EXPECT_THAT(error.what(), HasSubstr(checkpoint.name));
    EXPECT_EQ(error.hint(), "did you mean ViT-B-16?");
  }
}

TEST(KnownCheckpoints, MayComeFromTheUsersTable) {
  const TestDir folder;
  write_file(folder / "my.toml", table(kEntry, kFile));
  ::setenv("TAGCLIP_CHECKPOINTS", (folder / "my.toml").c_str(), 1);
  EXPECT_EQ(known_checkpoints().front().name, "a");
  ::setenv("TAGCLIP_CHECKPOINTS", (folder / "none.toml").c_str(), 1);
  EXPECT_THROW(known_checkpoints(), Error);
  ::setenv("TAGCLIP_CHECKPOINTS", folder.path().c_str(), 1);
  EXPECT_THROW(known_checkpoints(), Error);
  ::unsetenv("TAGCLIP_CHECKPOINTS");
  EXPECT_EQ(known_checkpoints().size(), builtin_table().size());
}

}  // namespace
}  // namespace tagclip
