#include "data/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxMember = int64_t{64} << 20;
constexpr size_t kBlock = 64 << 10;

uintmax_t size_of_file(const std::filesystem::path& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw bad_input(fmt::format("cannot read {}: {}", path.string(), error.message()));
  return size;
}

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

}  // namespace

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

}  // namespace tagclip
