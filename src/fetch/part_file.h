#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace tagclip {

// A file on its way: TARGET.part, which grows from run to run and becomes TARGET at the end, whole
// and on the disk. TARGET.part.origin tells where its bytes come from. All throw Error(kFailure)
// with the path and the system's reason.
class PartFile {
 public:
  // Opens what an earlier run left, or begins an empty one.
  explicit PartFile(const std::filesystem::path& target);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  int64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

  void append(std::span<const std::byte> bytes);
  // Hands out all its bytes, piece by piece.
  void read(const std::function<void(std::span<const std::byte>)>& take) const;
  // Starts again: without bytes, and without an origin.
  void restart();

  // The address the bytes come from, as `set_origin` was told in this run or an earlier one.
  std::string origin() const;
  void set_origin(const std::string& text);

  // Flushes it and gives it its name; replaces an existing target.
  void commit();
  // Removes it.
  void discard();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  std::filesystem::path origin_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

// Flushes a folder's list of names, so that a rename in it outlives a power cut.
void sync_folder(const std::filesystem::path& folder);

}  // namespace tagclip
