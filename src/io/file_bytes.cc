#include "io/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace tagclip {
namespace {

Error cannot_read(const std::filesystem::path& path, int error) {
  return bad_input("cannot read " + path.string() + ": " + std::strerror(error));
}

// A regular file open for reading.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path) : path_(path) {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) throw cannot_read(path, errno);
    try {
      check_regular();
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
  }
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int descriptor() const { return descriptor_; }
  uint64_t size() const { return size_; }

  // Reads `count` bytes, fewer only at the end of the file.
  std::vector<std::byte> read(size_t count) const {
    std::vector<std::byte> bytes(count);
    size_t filled = 0;
    while (filled < count) {
      const ssize_t got = ::read(descriptor_, bytes.data() + filled, count - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw cannot_read(path_, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  }

 private:
  void check_regular() {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) throw cannot_read(path_, errno);
    if (S_ISDIR(status.st_mode)) {
      throw bad_input("cannot read " + path_.string() + ": it is a folder, expected a file");
    }
    if (!S_ISREG(status.st_mode)) {
      throw bad_input(
          "cannot read " + path_.string() + ": it is a pipe or a device, expected a file",
          "save its content to a file first");
    }
    size_ = static_cast<uint64_t>(status.st_size);
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace

std::vector<std::byte> read_prefix(const std::filesystem::path& path, size_t count) {
  const OpenFile file(path);
  return file.read(static_cast<size_t>(std::min<uint64_t>(count, file.size())));
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path, uint64_t limit) {
  const OpenFile file(path);
  if (file.size() > limit) {
    throw bad_input("cannot read " + path.string() + ": it has " + std::to_string(file.size()) +
                    " bytes, at most " + std::to_string(limit) + " are accepted");
  }
  return file.read(static_cast<size_t>(file.size()));
}

std::string read_text(const std::filesystem::path& path, uint64_t limit) {
  const std::vector<std::byte> bytes = read_bytes(path, limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const OpenFile file(path);
  const auto size = static_cast<size_t>(file.size());
  if (size == 0) return;  // mmap refuses an empty range
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (start == MAP_FAILED) throw cannot_read(path, errno);
  bytes_ = {static_cast<const std::byte*>(start), size};
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace tagclip
