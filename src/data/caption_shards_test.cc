#include "data/caption_shards.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <map>

#include "base/error.h"
#include "base/files.h"
#include "data/test_golden.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Members = std::vector<std::pair<std::string, std::string>>;

enum class Format { kUstar, kPax, kGzip };

void write_tar(const std::filesystem::path& path, const Members& members,
               Format format = Format::kUstar) {
  std::unique_ptr<archive, int (*)(archive*)> out(archive_write_new(), archive_write_free);
  format == Format::kPax ? archive_write_set_format_pax(out.get())
                         : archive_write_set_format_ustar(out.get());
  if (format == Format::kGzip) archive_write_add_filter_gzip(out.get());
  archive_write_set_options(out.get(), "hdrcharset=BINARY");
  ASSERT_EQ(archive_write_open_filename(out.get(), path.c_str()), ARCHIVE_OK);
  for (const auto& [name, bytes] : members) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                   archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<int64_t>(bytes.size()));
    ASSERT_EQ(archive_write_header(out.get(), entry.get()), ARCHIVE_OK);
    archive_write_data(out.get(), bytes.data(), bytes.size());
  }
  archive_write_close(out.get());
}

class CaptionShards : public testing::Test {
 protected:
  std::filesystem::path shard() const { return dir_ / "shard.tar"; }

  std::string error_of(const std::vector<std::filesystem::path>& shards) {
    try {
      read_caption_shards(shards);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_THAT(error.what(), HasSubstr(shards.back().string()));
      return error.what();
    }
    return "no error";
  }
  std::string error_with(const Members& members) {
    write_tar(shard(), members);
    return error_of({shard()});
  }

  TestDir dir_;
};

TEST_F(CaptionShards, PairsPhotosWithTheirLines) {
  write_tar(shard(), {{"pack/", ""},
                      {"pack/a.jpg", "JPEG"},
                      {"pack/a.txt", "a cat\r\n\na tabby cat\n"},
                      {"pack/a.json", "{}"},
                      {"b.txt",
                       "Stra\xC3\x9F"
                       "e"},
                      {"b.webp", "W"}});
  const auto photos = read_caption_shards({shard()});
  ASSERT_EQ(photos.size(), 2u);
  EXPECT_EQ(photos[0].key, "pack/a");
  EXPECT_EQ(photos[0].encoded.size(), 4u);
  EXPECT_THAT(photos[0].captions, ElementsAre("a cat", "a tabby cat"));
  EXPECT_EQ(photos[1].key, "b");
  EXPECT_THAT(photos[1].captions, ElementsAre("Stra\xC3\x9F"
                                              "e"));
}

TEST_F(CaptionShards, ReadsNamesBeyondAscii) {
  const std::string long_name = "sch\xC3\xB6n/" + std::string(200, 'n');
  write_tar(shard(), {{long_name + ".jpg", "x"}, {long_name + ".txt", "a"}}, Format::kPax);
  EXPECT_EQ(read_caption_shards({shard()}).at(0).key, long_name);
}

TEST_F(CaptionShards, KeepsTheOrderOfShards) {
  write_tar(dir_ / "1.tar", {{"a.png", "x"}, {"a.txt", "one"}});
  write_tar(dir_ / "2.tar", {{"b.png", "x"}, {"b.txt", "two"}});
  const auto photos = read_caption_shards({dir_ / "2.tar", dir_ / "1.tar"});
  ASSERT_EQ(photos.size(), 2u);
  EXPECT_EQ(photos[0].key, "b");
  EXPECT_EQ(photos[1].key, "a");
}

TEST_F(CaptionShards, NamesWhatIsNotAPair) {
  EXPECT_THAT(error_with({{"a.jpg", "x"}, {"b.jpg", "x"}, {"b.txt", "b"}}),
              HasSubstr("a has a photo but no caption list"));
  EXPECT_THAT(error_with({{"a.jpg", "x"}, {"a.txt", "a"}, {"b.txt", "b"}}),
              HasSubstr("b has a caption list but no photo"));
  EXPECT_THAT(error_with({{"a.jpg", "x"}, {"a.txt", " \n\n"}}),
              HasSubstr("a.txt holds no caption"));
  EXPECT_THAT(error_with({{"a.jpg", "x"}, {"a.txt", "B\xE4ume"}}),
              HasSubstr("a.txt is not UTF-8 at byte 1"));
  EXPECT_THAT(error_with({{"a.jpg", ""}, {"a.txt", "a"}}), HasSubstr("a.jpg is empty"));
  EXPECT_THAT(error_with({{"a.jpg", "x"}, {"a.png", "x"}, {"a.txt", "a"}}),
              HasSubstr("a second photo for a.png"));
  EXPECT_THAT(error_with({{"readme.md", "x"}}), HasSubstr("holds no captioned photo"));
}

TEST_F(CaptionShards, AKeyTwiceIsAnError) {
  EXPECT_THAT(error_with({{"a.jpg", "x"},
                          {"a.txt", "a"},
                          {"b.jpg", "x"},
                          {"b.txt", "b"},
                          {"a.jpg", "x"},
                          {"a.txt", "a"}}),
              HasSubstr("a is already in"));
  EXPECT_THAT(error_of({shard(), shard()}), HasSubstr("a is already in"));
}

TEST_F(CaptionShards, EveryTruncationIsNoticed) {
  write_tar(shard(), {{"a.jpg", std::string(700, 'x')},
                      {"a.txt", "a"},
                      {"b.jpg", std::string(700, 'y')},
                      {"b.txt", "b"}});
  const std::string whole = [&] {
    std::ifstream file(shard(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  // The contents end before the first zero block of its end mark.
  const size_t used = whole.find_last_not_of('\0') + 1;
  for (size_t size = 0; size < used + 512; size += 128) {
    write_file(shard(), whole.substr(0, size));
    EXPECT_NE(error_of({shard()}), "no error") << size << " bytes";
  }
}

TEST_F(CaptionShards, OnlyTarIsRead) {
  write_file(shard(), std::string(5000, 'a'));
  EXPECT_THAT(error_of({shard()}), HasSubstr("as a tar file"));
  write_tar(shard(), {{"a.jpg", "x"}, {"a.txt", "a"}}, Format::kGzip);
  EXPECT_THAT(error_of({shard()}), HasSubstr("as a tar file"));
  EXPECT_NE(error_of({dir_ / "missing.tar"}), "no error");
  EXPECT_NE(error_of({dir_.path()}), "no error");
}

TEST_F(CaptionShards, SizesAreCheckedBeforeMemoryIsTaken) {
  write_tar(shard(), {{"a.jpg", "x"}, {"a.txt", "a"}});
  const auto forge = [&](const char* octal_size) {
    std::fstream file(shard(), std::ios::in | std::ios::out | std::ios::binary);
    std::string header(512, '\0');
    file.read(header.data(), 512);
    header.replace(124, 11, octal_size);
    header.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (unsigned char byte : header) sum += byte;
    char checksum[8];
    std::snprintf(checksum, sizeof checksum, "%06o", sum);
    header.replace(148, 7, checksum, 7);
    file.seekp(0).write(header.data(), 512);
  };
  forge("77777777777");  // 8 GiB
  EXPECT_THAT(error_of({shard()}), AllOf(HasSubstr("a.jpg"), HasSubstr("64 MiB")));
  forge("00300000000");  // 48 MiB of a file of a few KiB
  EXPECT_THAT(error_of({shard()}), HasSubstr("more than the file has left"));
}

TEST_F(CaptionShards, ReadsTheRealShards) {
  const auto folder = test::shared_data() / "data/pretrain";
  TAGCLIP_NEEDS_SHARED(folder);
  std::vector<std::filesystem::path> train;
  for (int i = 0; i < 4; ++i)
    train.push_back(folder / ("train-00000" + std::to_string(i) + ".tar"));
  const auto photos = read_caption_shards(train);
  EXPECT_EQ(photos.size(), 12223u);
  std::map<std::string, int> sources;
  for (const CaptionedPhoto& photo : photos) ++sources[photo.key.substr(0, photo.key.find('_'))];
  EXPECT_EQ(sources, (std::map<std::string, int>{{"tin", 5534},
                                                 {"f8k", 2368},
                                                 {"in1k", 1000},
                                                 {"coco", 950},
                                                 {"c101", 888},
                                                 {"voc", 609},
                                                 {"scene", 504},
                                                 {"nyu", 240},
                                                 {"flower", 130}}));
  EXPECT_EQ(read_caption_shards({folder / "val-000000.tar"}).size(), 900u);
}

}  // namespace
}  // namespace tagclip
