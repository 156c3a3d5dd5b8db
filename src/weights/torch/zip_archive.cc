#include "weights/torch/zip_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "io/byte_cursor.h"

namespace tagclip {
namespace {

// Names of the records in the format's description (APPNOTE.TXT), as they begin.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryHeader = 0x02014b50;
constexpr uint32_t kDirectoryEnd = 0x06054b50;
constexpr uint32_t kDirectoryEnd64 = 0x06064b50;
constexpr uint32_t kDirectoryEnd64Locator = 0x07064b50;

constexpr size_t kDirectoryEndSize = 22;
constexpr size_t kDirectoryEnd64LocatorSize = 20;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // in place of a number that stands in a zip64 record

Error damaged(const std::string& name, const std::string& what) {
  return bad_input(fmt::format("{}: damaged zip archive: {}", name, what),
                   "it may be cut off: fetch the file again");
}

uint16_t take16(ByteCursor& cursor) { return cursor.take_little_endian<uint16_t>(); }
uint32_t take32(ByteCursor& cursor) { return cursor.take_little_endian<uint32_t>(); }
uint64_t take64(ByteCursor& cursor) { return cursor.take_little_endian<uint64_t>(); }

// One entry as the directory describes it.
struct Header {
  std::string name;
  bool is_encrypted = false;
  uint16_t method = 0;
  uint64_t compressed_size = 0, size = 0;
  uint64_t place = 0;  // of the entry's own header

  bool is_plain() const { return !is_encrypted && method == 0; }
};

// Reads the structure of an archive; every place it is led to is checked.
class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  std::vector<Header> read_directory() const {
    const auto [count, directory] = find_directory();
    ByteCursor cursor(directory, name_ + ": the archive's directory");
    std::vector<Header> headers;
    while (cursor.position() < directory.size()) headers.push_back(read_header(cursor));
    if (headers.size() != count) {
      throw damaged(
          name_, fmt::format("{} entries expected, its directory holds {}", count, headers.size()));
    }
    return headers;
  }

  // Returns the bytes of a plain entry.
  std::span<const std::byte> data_of(const Header& header) const {
    const std::string what = "entry " + in_quotes(header.name);
    if (header.size != header.compressed_size) {
      throw damaged(name_, what + " is stored, but with two sizes");
    }
    ByteCursor cursor = cursor_at(header.place, what);
    if (take32(cursor) != kLocalHeader) {
      throw damaged(name_, what + " does not begin where the directory says");
    }
    cursor.take(22);
    const uint16_t name_length = take16(cursor), extra_length = take16(cursor);
    if (cursor.take_text(name_length) != header.name) {
      throw damaged(name_, what + " bears another name in its own header");
    }
    cursor.take(extra_length);
    return cursor.take(header.size);
  }

 private:
  struct Directory {
    uint64_t count;  // of entries
    std::span<const std::byte> bytes;
  };

  Directory find_directory() const {
    const size_t end = find_directory_end();
    ByteCursor cursor = cursor_at(end, "the directory's end");
    cursor.take(4 + 2 + 2 + 2);  // the signature, numbers of disks, entries on this one
    const uint64_t count = take16(cursor), size = take32(cursor), place = take32(cursor);
    if (const std::optional<Directory> directory = find_directory64(end)) return *directory;
    return {count, directory_at(place, size)};
  }

  // The end record is followed by nothing but a comment, whose length is its last number.
  size_t find_directory_end() const {
    const size_t most = std::min<size_t>(bytes_.size(), kDirectoryEndSize + UINT16_MAX);
    for (size_t back = kDirectoryEndSize; back <= most; ++back) {
      ByteCursor cursor(bytes_.last(back), name_);
      if (take32(cursor) != kDirectoryEnd) continue;
      cursor.take(16);
      if (take16(cursor) == back - kDirectoryEndSize) return bytes_.size() - back;
    }
    throw damaged(name_, "it has no directory at its end");
  }

  // Reads the zip64 fields; nothing when the archive has none.
  std::optional<Directory> find_directory64(size_t end) const {
    if (end < kDirectoryEnd64LocatorSize) return std::nullopt;
    ByteCursor locator = cursor_at(end - kDirectoryEnd64LocatorSize, "the zip64 locator");
    if (take32(locator) != kDirectoryEnd64Locator) return std::nullopt;
    locator.take(4);
    ByteCursor cursor = cursor_at(take64(locator), "the zip64 directory's end");
    if (take32(cursor) != kDirectoryEnd64) {
      throw damaged(name_, "its zip64 directory's end does not stand where it should");
    }
    cursor.take(8 + 2 + 2 + 4 + 4 + 8);  // size, versions, numbers of disks, entries on this one
    const uint64_t count = take64(cursor), size = take64(cursor);
    return Directory{count, directory_at(take64(cursor), size)};
  }

  std::span<const std::byte> directory_at(uint64_t place, uint64_t size) const {
    return cursor_at(place, "its directory").take(size);
  }

  Header read_header(ByteCursor& cursor) const {
    if (take32(cursor) != kDirectoryHeader) {
      throw damaged(name_, fmt::format("no entry at byte {} of its directory",
                                       cursor.position() - sizeof kDirectoryHeader));
    }
    Header header;
    cursor.take(4);  // versions
    header.is_encrypted = (take16(cursor) & 1) != 0;
    header.method = take16(cursor);
    cursor.take(8);  // time and checksum
    header.compressed_size = take32(cursor);
    header.size = take32(cursor);
    const uint16_t name_length = take16(cursor), extra_length = take16(cursor);
    const uint16_t comment_length = take16(cursor);
    cursor.take(8);  // number of the disk, attributes
    header.place = take32(cursor);
    header.name = cursor.take_text(name_length);
    read_extra(cursor.take(extra_length), header);
    cursor.take(comment_length);
    return header;
  }

  // The zip64 field holds, in this order, the numbers that found no place in the header.
  void read_extra(std::span<const std::byte> extra, Header& header) const {
    constexpr uint16_t kZip64 = 1;
    ByteCursor cursor(extra, name_ + ": entry " + in_quotes(header.name));
    while (cursor.position() < extra.size()) {
      const uint16_t id = take16(cursor), length = take16(cursor);
      ByteCursor field(cursor.take(length), name_ + ": entry " + in_quotes(header.name));
      if (id != kZip64) continue;
      for (uint64_t* number : {&header.size, &header.compressed_size, &header.place}) {
        if (*number == kIn64) *number = take64(field);
      }
    }
  }

  ByteCursor cursor_at(uint64_t place, const std::string& what) const {
    if (place > bytes_.size()) throw damaged(name_, what + " lies beyond the end of the file");
    return {bytes_.subspan(place), name_ + ": " + what};
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
};

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string name)
    : name_(std::move(name)) {
  const ZipReader reader(bytes, name_);
  for (Header& header : reader.read_directory()) {
    Entry entry{.is_plain = header.is_plain()};
    if (entry.is_plain) entry.data = reader.data_of(header);
    const auto [place, is_new] = entries_.try_emplace(std::move(header.name), entry);
    if (!is_new) throw damaged(name_, "entry " + in_quotes(place->first) + " is there twice");
  }
}

std::span<const std::byte> ZipArchive::read(std::string_view entry) const {
  const auto found = entries_.find(entry);
  if (found == entries_.end()) {
    throw bad_input(fmt::format("{}: the archive has no entry {}", name_, in_quotes(entry)),
                    "the file may be incomplete: fetch it again");
  }
  if (!found->second.is_plain) {
    throw bad_input(
        fmt::format("{}: entry {} is compressed or encrypted, expected it stored plainly", name_,
                    in_quotes(entry)),
        "unpacked and packed again by another program? Save it again with torch.save");
  }
  return found->second.data;
}

}  // namespace tagclip
