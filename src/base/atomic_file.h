#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace tagclip {

// A file that appears under its name whole or not at all: bytes go to a temporary file in the same
// folder, which `commit` flushes to the disk and renames. Destroyed without `commit`, it leaves
// nothing behind. Throws Error(kFailure) naming the path and the system's reason (full disk,
// read-only folder, ...).
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

// Writes `text` to `target` through an AtomicFile.
void write_file(const std::filesystem::path& target, std::string_view text);

// The folder and those above it, where they are missing. Throws Error(kFailure) as AtomicFile does.
void create_folders(const std::filesystem::path& folder);

}  // namespace tagclip
