#include "data/caption_shards.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxMember = int64_t{64} << 20;
constexpr size_t kBlock = 64 << 10;

Error not_a_tar(const std::filesystem::path& path, archive* reader) {
  const char* reason = archive_error_string(reader);
  return bad_input(fmt::format("cannot read {} as a tar file: {}", path.string(),
                               reason != nullptr ? reason : "unknown format"),
                   "shards are uncompressed tar files");
}

// Names of UTF-8 headers have no plain form in the C locale.
std::string name_of(archive_entry* entry, const std::filesystem::path& path) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr) name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) throw bad_input(fmt::format("{}: a member has no name", path.string()));
  return name;
}

// A complete tar ends with two zero blocks. libarchive accepts a file that stops between members.
void check_end(const std::filesystem::path& path, uintmax_t size) {
  std::array<char, 1024> tail;
  tail.fill(1);
  std::ifstream file(path, std::ios::binary);
  if (size >= tail.size()) {
    file.seekg(-static_cast<std::streamoff>(tail.size()), std::ios::end)
        .read(tail.data(), tail.size());
  }
  if (std::ranges::all_of(tail, [](char byte) { return byte == 0; })) return;
  throw bad_input(
      fmt::format("{} is truncated: the end mark of a tar file is missing", path.string()),
      "copy or download it again");
}

struct TarMember {
  std::string name;
  std::vector<std::byte> bytes;
};

// Reads an uncompressed tar file (ustar, GNU, pax) from front to back. Throws Error(kBadInput)
// naming the file and member: not a tar, damaged, truncated, a member larger than 64 MiB, members
// that together claim more than the file holds.
class TarReader {
 public:
  explicit TarReader(std::filesystem::path path);

  // The next ordinary file, nullopt at the end. Folders and links are skipped.
  std::optional<TarMember> next();

 private:
  void read_data(TarMember& member, int64_t size);

  std::filesystem::path path_;
  uintmax_t unread_;  // bytes that the remaining members may claim
  std::unique_ptr<archive, int (*)(archive*)> archive_;
};

TarReader::TarReader(std::filesystem::path path)
    : path_(std::move(path)),
      unread_(size_of_file(path_)),
      archive_(archive_read_new(), archive_read_free) {
  TAGCLIP_CHECK(archive_ != nullptr, "libarchive has no memory");
  archive_read_support_format_tar(archive_.get());
  archive_read_set_format_option(archive_.get(), "tar", "read_concatenated_archives", "1");
  if (archive_read_open_filename(archive_.get(), path_.c_str(), kBlock) != ARCHIVE_OK) {
    throw not_a_tar(path_, archive_.get());
  }
}

std::optional<TarMember> TarReader::next() {
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) {
      check_end(path_, size_of_file(path_));
      return std::nullopt;
    }
    if (status < ARCHIVE_WARN) throw not_a_tar(path_, archive_.get());
    if (archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry)) break;
  }
  TarMember member{name_of(entry, path_), {}};
  read_data(member, archive_entry_size(entry));
  return member;
}

void TarReader::read_data(TarMember& member, int64_t size) {
  const auto where = [&] { return fmt::format("{}: member {}", path_.string(), member.name); };
  if (size < 0 || size > kMaxMember) {
    throw bad_input(
        fmt::format("{} has {} bytes, more than {} MiB", where(), size, kMaxMember >> 20));
  }
  if (static_cast<uintmax_t>(size) > unread_) {
    throw bad_input(fmt::format("{} claims {} bytes, more than the file has left", where(), size));
  }
  unread_ -= size;
  member.bytes.resize(size);
  int64_t done = 0;
  while (done < size) {
    const la_ssize_t got =
        archive_read_data(archive_.get(), member.bytes.data() + done, size - done);
    if (got <= 0) {
      throw bad_input(
          fmt::format("{} stops after {} of {} bytes: the file is truncated", where(), done, size),
          "copy or download it again");
    }
    done += got;
  }
}

bool is_photo(const fs::path& name) {
  constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp"};
  return std::ranges::find(kEndings, name.extension().native()) != std::end(kEndings);
}

std::string key_of(const fs::path& name) { return fs::path(name).replace_extension().string(); }

// Puts the members of one shard together, two by two.
class Pairing {
 public:
  Pairing(const fs::path& shard, std::vector<CaptionedPhoto>& photos)
      : shard_(shard), photos_(photos) {}

  void add(TarMember member) {
    const fs::path name = member.name;
    const bool photo = is_photo(name);
    if (!photo && name.extension() != ".txt") return;
    const std::string key = key_of(name);
    if (key != pending_.key) finish();
    pending_.key = key;
    if (photo ? has_photo_ : has_captions_) {
      throw bad_input(fmt::format("{}: a second {} for {}", shard_.string(),
                                  photo ? "photo" : "caption list", member.name));
    }
    if (photo) {
      add_photo(std::move(member));
    } else {
      add_captions(member);
    }
  }

  // Closes the pair in hand.
  void finish() {
    if (has_photo_ != has_captions_) {
      throw bad_input(fmt::format("{}: {} has a {} but no {} next to it", shard_.string(),
                                  pending_.key, has_photo_ ? "photo" : "caption list",
                                  has_photo_ ? "caption list (.txt)" : "photo"));
    }
    if (has_photo_) photos_.push_back(std::move(pending_));
    pending_ = {};
    has_photo_ = has_captions_ = false;
  }

 private:
  void add_photo(TarMember member) {
    if (member.bytes.empty()) {
      throw bad_input(fmt::format("{}: {} is empty", shard_.string(), member.name));
    }
    pending_.encoded = std::move(member.bytes);
    has_photo_ = true;
  }

  void add_captions(const TarMember& member) {
    const std::string_view text{reinterpret_cast<const char*>(member.bytes.data()),
                                member.bytes.size()};
    if (const auto offset = find_invalid_utf8(text)) {
      throw bad_input(
          fmt::format("{}: {} is not UTF-8 at byte {}", shard_.string(), member.name, *offset));
    }
    const std::vector<std::string_view> lines = split_lines(text);
    pending_.captions.assign(lines.begin(), lines.end());
    std::erase(pending_.captions, "");
    if (pending_.captions.empty()) {
      throw bad_input(fmt::format("{}: {} holds no caption", shard_.string(), member.name));
    }
    has_captions_ = true;
  }

  const fs::path& shard_;
  std::vector<CaptionedPhoto>& photos_;
  CaptionedPhoto pending_;
  bool has_photo_ = false;
  bool has_captions_ = false;
};

}  // namespace

bool is_short_caption(std::string_view caption) { return std::ranges::count(caption, ' ') < 3; }

std::vector<CaptionedPhoto> read_caption_shards(const std::vector<fs::path>& shards) {
  std::vector<CaptionedPhoto> photos;
  std::unordered_map<std::string, const fs::path*> shard_of;
  for (const fs::path& shard : shards) {
    const size_t first = photos.size();
    TarReader reader(shard);
    Pairing pairing(shard, photos);
    while (auto member = reader.next()) pairing.add(std::move(*member));
    pairing.finish();
    if (photos.size() == first) {
      throw bad_input(fmt::format("{} holds no captioned photo", shard.string()),
                      "members are <key>.jpg (png, webp) and <key>.txt");
    }
    for (size_t i = first; i < photos.size(); ++i) {
      const auto [known, is_new] = shard_of.emplace(photos[i].key, &shard);
      if (is_new) continue;
      throw bad_input(fmt::format("{}: {} is already in {}", shard.string(), photos[i].key,
                                  known->second->string()));
    }
  }
  return photos;
}

}  // namespace tagclip
