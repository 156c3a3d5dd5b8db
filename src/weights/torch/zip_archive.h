#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tagclip {

// The entries of a zip archive (zip64 too) in memory, where they lie. Entries that are compressed
// or encrypted are listed but cannot be read. Checksums are not compared.
class ZipArchive {
 public:
  // `bytes` must outlive the archive and what it returns. Throws Error(kBadInput) when the
  // directory is damaged, a name stands in it twice, or an entry lies outside the file; `name` is
  // the file in messages.
  ZipArchive(std::span<const std::byte> bytes, std::string name);

  // All names, sorted.
  const auto& entries() const { return entries_; }
  bool contains(std::string_view entry) const { return entries_.contains(entry); }

  // Returns an entry's bytes. Throws Error(kBadInput) when it is missing or not stored plainly.
  std::span<const std::byte> read(std::string_view entry) const;

 private:
  struct Entry {
    std::span<const std::byte> data;
    bool is_plain = true;  // else `data` is empty
  };

  std::string name_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace tagclip
