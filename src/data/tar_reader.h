#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct archive;

namespace tagclip {

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

  // The next ordinary file; nothing at the end. Folders and links are passed over.
  std::optional<TarMember> next();

 private:
  void read_data(TarMember& member, int64_t size);

  std::filesystem::path path_;
  uintmax_t unread_;  // bytes that members may still claim
  std::unique_ptr<archive, int (*)(archive*)> archive_;
};

}  // namespace tagclip
