#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tagclip {

// --- Reading. All of it throws Error(kBadInput) naming the path and the system's reason. ---

// The largest file that `read_bytes` and `read_text` take into memory unless told otherwise.
inline constexpr uint64_t kMaxReadBytes = 512ULL << 20;

// The first `count` bytes of a file, fewer when it is shorter. Throws for pipes and devices, too.
std::vector<std::byte> read_prefix(const std::filesystem::path& path, size_t count);

// A whole file. Throws as read_prefix, and when the file is larger than `limit` bytes.
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  uint64_t limit = kMaxReadBytes);

// A whole text of any encoding, from a file or from a pipe such as a shell's <(...), to its end.
// Throws when it is a folder, or larger than `limit` bytes.
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

// --- Writing. All of it throws Error(kFailure) naming the path and the system's reason: full disk,
// read-only folder, ... ---

// A file that appears under its name whole or not at all: bytes go to a temporary file in the same
// folder, which `commit` flushes to the disk and renames. Destroyed without `commit`, it leaves
// nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  // Replaces an existing target.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// Writes a whole file through an AtomicFile.
void write_file(const std::filesystem::path& target, std::string_view text);
void write_file(const std::filesystem::path& target, std::span<const std::byte> bytes);

// A new file that grows by whole records: each has been handed to the system when `append` returns,
// and one that does not fit on the disk leaves nothing of itself behind. Throws also when a file of
// that name exists.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view record);

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  off_t length_ = 0;
};

// The errors for a `path` that cannot be read: for a reason, or by a value of errno.
Error cannot_read(const std::filesystem::path& path, const std::string& reason,
                  std::string hint = {});
Error cannot_read(const std::filesystem::path& path, int error);

// The error for a write to `path` that the system refused with `error`, a value of errno.
Error cannot_write(const std::filesystem::path& path, int error);

// Creates the folder and those above it, where they are missing.
void create_folders(const std::filesystem::path& folder);

// The folder of what the program can make or fetch again: $TAGCLIP_HOME, else
// $XDG_CACHE_HOME/tagclip, else ~/.cache/tagclip. Throws Error(kFailure) where none of the
// variables is set.
std::filesystem::path cache_folder();

}  // namespace tagclip
