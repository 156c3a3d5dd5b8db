#include "outputs/archive_writer.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

void put(std::string& to, uint64_t value, int bytes) {
  for (int b = 0; b < bytes; ++b) to += static_cast<char>(value >> (8 * b) & 0xFF);
}

constexpr uint32_t kEntry = 0x04034B50, kDirectoryEntry = 0x02014B50, kEnd = 0x06054B50;
constexpr uint32_t kEnd64 = 0x06064B50, kEnd64Place = 0x07064B50;
constexpr uint64_t kMost16 = 0xFFFF, kMost32 = 0xFFFFFFFF;

// What an entry's head and its place in the directory have in common.
std::string entry_fields(const std::string& name, std::span<const std::byte> bytes) {
  constexpr int kVersion = 20, kUtf8 = 1 << 11, kStored = 0, kTime = 0, kDate = (1 << 5) | 1;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  std::string fields;
  for (const int value : {kVersion, kUtf8, kStored, kTime, kDate}) put(fields, value, 2);
  put(fields, crc, 4);
  put(fields, bytes.size(), 4);  // packed
  put(fields, bytes.size(), 4);
  put(fields, name.size(), 2);
  put(fields, 0, 2);  // more fields
  return fields;
}

}  // namespace

void ArchiveWriter::write(const std::string& bytes) {
  sink_(bytes_of(bytes));
  offset_ += bytes.size();
}

void ArchiveWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  if (offset_ + bytes.size() + name.size() + kMost16 > kMost32) {
    throw failure("a ZIP archive would be larger than 4 GiB",
                  "segment fewer photos into one folder");
  }
  const std::string fields = entry_fields(name, bytes);
  put(directory_, kDirectoryEntry, 4);
  put(directory_, 20, 2);  // written as version 2.0
  directory_ += fields;
  put(directory_, 0, 2 + 2 + 2);  // comment, disk, attributes of text
  put(directory_, 0, 4);          // attributes
  put(directory_, offset_, 4);
  directory_ += name;
  ++entries_;

  std::string head;
  put(head, kEntry, 4);
  write(head + fields + name);
  sink_(bytes);
  offset_ += bytes.size();
}

void ArchiveWriter::finish() {
  const uint64_t start = offset_, size = directory_.size();
  write(directory_);
  std::string end;
  if (entries_ >= kMost16) {
    const uint64_t place = offset_;
    put(end, kEnd64, 4);
    put(end, 44, 8);  // bytes of this record behind here
    put(end, 45, 2);
    put(end, 45, 2);
    put(end, 0, 4 + 4);  // disks
    put(end, entries_, 8);
    put(end, entries_, 8);
    put(end, size, 8);
    put(end, start, 8);
    put(end, kEnd64Place, 4);
    put(end, 0, 4);
    put(end, place, 8);
    put(end, 1, 4);
  }
  const uint64_t stated = std::min(entries_, kMost16);
  put(end, kEnd, 4);
  put(end, 0, 2 + 2);  // disks
  put(end, stated, 2);
  put(end, stated, 2);
  put(end, size, 4);
  put(end, start, 4);
  put(end, 0, 2);  // comment
  write(end);
}

}  // namespace tagclip
