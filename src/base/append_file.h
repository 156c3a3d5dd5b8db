#pragma once

#include <filesystem>
#include <string_view>

namespace tagclip {

// A new file that grows by whole records: each is with the system when `append` returns, and one
// that does not fit on the disk leaves nothing of itself behind. Throws Error(kFailure) naming the
// path and the system's reason, also when a file of that name exists.
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

}  // namespace tagclip
