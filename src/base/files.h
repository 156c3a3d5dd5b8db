#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tagclip {

// All of this refuses names that hold a NUL character: the system would read another file. The
// operations of std::filesystem are not used outside this file: they throw exceptions of their own
// for a path that cannot be reached.

// --- What is there. Links are followed unless said otherwise. ---

enum class PathKind { kNothing, kFile, kFolder, kOther };  // kOther: a pipe, a socket, a device

struct PathStatus {
  PathKind kind = PathKind::kNothing;
  uint64_t size = 0;  // of a file, bytes
  int error = 0;      // a value of errno, where the system refuses to tell
};

// Never throws. A path that leads nowhere is no error.
PathStatus path_status(const std::filesystem::path& path);

// These throw Error(kBadInput) "cannot read PATH: REASON" where the system refuses to tell: a
// folder that may not be entered, a loop of links, a name that is too long, a stale handle.
PathKind path_kind(const std::filesystem::path& path);
bool path_exists(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

// The bytes of a file. Throws as path_kind, and where it is none.
uint64_t size_of_file(const std::filesystem::path& path);

// Returns the path that a link holds. Throws Error(kBadInput) when it cannot be read.
std::filesystem::path link_target(const std::filesystem::path& link);

// `path` from the root on with every link followed; nothing where it leads nowhere. Never throws.
std::optional<std::filesystem::path> resolved_path(const std::filesystem::path& path);

// The bytes that a user may still write to the folder's file system; nothing where the system does
// not tell.
std::optional<uint64_t> free_bytes(const std::filesystem::path& folder);

// True if there is something of this name in the way of a new file, if only a link that leads
// nowhere. Throws Error(kFailure) "cannot write PATH: REASON" where the system refuses to tell.
bool is_taken(const std::filesystem::path& path);

// True if both lead to the same file. Never throws.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// A name in a folder, and what it stands for; nothing for a link, which is not followed.
struct FolderEntry {
  std::string name;
  std::optional<PathKind> kind;
};

// Lists a folder, sorted by name. Throws Error(kBadInput) when it cannot be read.
std::vector<FolderEntry> list_folder(const std::filesystem::path& folder);

// `path` from the root on, without "." and ".."; a relative one stays so where the system does not
// know the current folder, as when it was deleted. Never throws.
std::filesystem::path absolute_path(const std::filesystem::path& path);

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

// The same of the standard input.
std::string read_standard_input(uint64_t limit = kMaxReadBytes);

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

// True if a file of this name is one that an AtomicFile leaves behind when the process is killed.
bool is_unfinished(std::string_view file_name);

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

// Throws where files could not be written into this folder, or the folder not be made, as far as
// can be told beforehand.
void check_output_folder(const std::filesystem::path& folder);

// Creates the folder and those above it, where they are missing.
void create_folders(const std::filesystem::path& folder);

// Removes a file, a link or an empty folder; nothing happens where there is none.
void remove_path(const std::filesystem::path& path);

// Removes a folder with all that is in it, as far as the system lets it. Never throws.
void remove_folder(const std::filesystem::path& folder);

// Makes the symbolic link `link` to `target`.
void create_link(const std::filesystem::path& target, const std::filesystem::path& link);

// Renames within a file system, in place of what had the new name.
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

// The folder of what the program can make or fetch again: $TAGCLIP_HOME, else
// $XDG_CACHE_HOME/tagclip, else ~/.cache/tagclip. Throws Error(kFailure) where none of the
// variables is set.
std::filesystem::path cache_folder();

}  // namespace tagclip
