#include "fetch/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

Error cannot(const char* what, const std::filesystem::path& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return failure(std::string("cannot ") + what + " " + path.string() + ": " + std::strerror(error),
                 error == EFBIG ? "raise the limit on the size of files (ulimit -f)"
                 : full         ? "free some space or choose another folder"
                                : "choose a folder you may write to");
}

std::filesystem::path with_ending(std::filesystem::path path, const char* ending) {
  path += ending;
  return path;
}

}  // namespace

PartFile::PartFile(const std::filesystem::path& target)
    : target_(target),
      path_(with_ending(target, ".part")),
      origin_(with_ending(target, ".part.origin")) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot("write", path_);
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  if (end < 0) throw cannot("write", path_);
  size_ = end;
}

PartFile::~PartFile() {
  if (size_ == 0) discard();  // nothing to go on from
  ::close(descriptor_);
}

void PartFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), size_);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw cannot("write", path_);
    }
    size_ += written;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void PartFile::read(const std::function<void(std::span<const std::byte>)>& take) const {
  std::vector<std::byte> piece(kPiece);
  for (int64_t at = 0; at < size_;) {
    const ssize_t got = ::pread(descriptor_, piece.data(), piece.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw cannot("read", path_);
    take(std::span(piece).first(static_cast<size_t>(got)));
    at += got;
  }
}

void PartFile::restart() {
  if (::ftruncate(descriptor_, 0) != 0) throw cannot("write", path_);
  ::unlink(origin_.c_str());
  size_ = 0;
}

std::string PartFile::origin() const {
  std::ifstream file(origin_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void PartFile::set_origin(const std::string& text) { write_file(origin_, text); }

void PartFile::commit() {
  if (::fsync(descriptor_) != 0) throw cannot("write", path_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) throw cannot("write", target_);
  ::unlink(origin_.c_str());
  sync_folder(target_.parent_path());
}

void PartFile::discard() {
  ::unlink(path_.c_str());
  ::unlink(origin_.c_str());
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder that may be written to but not listed
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace tagclip
