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
  if (descriptor_ < 0) throw cannot_write(path_, errno);
  const off_t end = ::lseek(descriptor_, 0, SEEK_END);
  if (end < 0) throw cannot_write(path_, errno);
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
      throw cannot_write(path_, errno);
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
    if (got <= 0) throw failure("cannot read " + path_.string() + ": " + std::strerror(errno));
    take(std::span(piece).first(static_cast<size_t>(got)));
    at += got;
  }
}

void PartFile::restart() {
  if (::ftruncate(descriptor_, 0) != 0) throw cannot_write(path_, errno);
  ::unlink(origin_.c_str());
  size_ = 0;
}

std::string PartFile::origin() const {
  std::ifstream file(origin_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void PartFile::set_origin(const std::string& text) { write_file(origin_, text); }

void PartFile::commit() {
  if (::fsync(descriptor_) != 0) throw cannot_write(path_, errno);
  if (::rename(path_.c_str(), target_.c_str()) != 0) throw cannot_write(target_, errno);
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
