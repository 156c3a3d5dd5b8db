#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tagclip {

// The largest file that `read_bytes` takes into memory.
inline constexpr uint64_t kMaxReadBytes = 512ULL << 20;

// The first `count` bytes of a file, fewer when it is shorter.
// Throws Error(kBadInput) when it is missing, unreadable, a folder, or a pipe or device.
std::vector<std::byte> read_prefix(const std::filesystem::path& path, size_t count);

// A whole file. Throws as read_prefix, and when the file is larger than `limit` bytes.
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  uint64_t limit = kMaxReadBytes);

// The same as text, of any encoding.
std::string read_text(const std::filesystem::path& path, uint64_t limit = kMaxReadBytes);

// A whole file mapped read-only: no memory is used until the bytes are looked at. Another process
// that shortens the file meanwhile kills this one (SIGBUS), as with every mapped file.
// Throws as read_prefix.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace tagclip
