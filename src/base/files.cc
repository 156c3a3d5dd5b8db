#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace tagclip {
namespace {

Error too_large(const std::filesystem::path& path, uint64_t limit) {
  constexpr uint64_t kKiB = 1 << 10, kMiB = 1 << 20;
  const std::string size = limit % kMiB == 0   ? fmt::format("{} MiB", limit / kMiB)
                           : limit % kKiB == 0 ? fmt::format("{} KiB", limit / kKiB)
                                               : fmt::format("{} bytes", limit);
  return cannot_read(path, "it is larger than " + size);
}

// A file or a pipe, open for reading.
class OpenFile {
 public:
  enum class Pipes { kRefused, kAccepted };

  OpenFile(const std::filesystem::path& path, Pipes pipes) : path_(path) {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    const int wait = pipes == Pipes::kRefused ? O_NONBLOCK : 0;
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | wait);
    if (descriptor_ < 0) throw cannot_read(path, errno);
    try {
      check_type(pipes);
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

  // Fills `bytes` from its start; returns how many came before the end of the file.
  size_t read(std::span<std::byte> bytes) const {
    size_t filled = 0;
    while (filled < bytes.size()) {
      const ssize_t got = ::read(descriptor_, bytes.data() + filled, bytes.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw cannot_read(path_, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

  std::vector<std::byte> read(uint64_t count) const {
    std::vector<std::byte> bytes(count);
    bytes.resize(read(std::span(bytes)));
    return bytes;
  }

 private:
  void check_type(Pipes pipes) {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) throw cannot_read(path_, errno);
    if (S_ISDIR(status.st_mode)) throw cannot_read(path_, "it is a folder, expected a file");
    if (!S_ISREG(status.st_mode) && pipes == Pipes::kRefused) {
      throw cannot_read(path_, "it is a pipe or a device, expected a file",
                        "save its content to a file first");
    }
    size_ = static_cast<uint64_t>(status.st_size);
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

std::string hint_for_write(int error) {
  if (error == ENOSPC || error == EDQUOT) return "free some space or choose another folder";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f)";
  return "choose a folder you may write to";
}

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path path = target;
  path += fmt::format(".tmp-{}-{}", ::getpid(), counter++);
  return path;
}

}  // namespace

Error cannot_read(const std::filesystem::path& path, const std::string& reason, std::string hint) {
  return bad_input(fmt::format("cannot read {}: {}", path.string(), reason), std::move(hint));
}

Error cannot_read(const std::filesystem::path& path, int error) {
  return cannot_read(path, std::strerror(error));
}

Error cannot_write(const std::filesystem::path& path, int error) {
  return failure(fmt::format("cannot write {}: {}", path.string(), std::strerror(error)),
                 hint_for_write(error));
}

std::vector<std::byte> read_prefix(const std::filesystem::path& path, size_t count) {
  const OpenFile file(path, OpenFile::Pipes::kRefused);
  return file.read(std::min<uint64_t>(count, file.size()));
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path, uint64_t limit) {
  const OpenFile file(path, OpenFile::Pipes::kRefused);
  if (file.size() > limit) throw too_large(path, limit);
  return file.read(file.size());
}

std::string read_text(const std::filesystem::path& path, uint64_t limit) {
  const OpenFile file(path, OpenFile::Pipes::kAccepted);
  if (file.size() > limit) throw too_large(path, limit);
  // A pipe tells no size, and a file may grow: read until there is nothing more.
  constexpr size_t kChunk = size_t{1} << 16;
  std::string text;
  size_t filled = 0, wanted = static_cast<size_t>(file.size()) + 1;
  do {
    text.resize(filled + wanted);
    filled += file.read(std::as_writable_bytes(std::span(text)).subspan(filled));
    if (filled > limit) throw too_large(path, limit);
    wanted = std::max(kChunk, filled);
  } while (filled == text.size());
  text.resize(filled);
  return text;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const OpenFile file(path, OpenFile::Pipes::kRefused);
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

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot_write(target_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw cannot_write(target_, errno);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw cannot_write(target_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw cannot_write(target_, errno);
  ::close(descriptor_);
  descriptor_ = -1;
}

void write_file(const std::filesystem::path& target, std::string_view text) {
  write_file(target, std::as_bytes(std::span(text)));
}

void write_file(const std::filesystem::path& target, std::span<const std::byte> bytes) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit();
}

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot_write(path_, errno);
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view record) {
  const auto size = static_cast<off_t>(record.size());
  while (!record.empty()) {
    const off_t at = length_ + size - static_cast<off_t>(record.size());
    const ssize_t written = ::pwrite(descriptor_, record.data(), record.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      // Should this fail too, the next record overwrites what there is of this one.
      [[maybe_unused]] const int cut = ::ftruncate(descriptor_, length_);
      throw cannot_write(path_, reason);
    }
    record.remove_prefix(static_cast<size_t>(written));
  }
  length_ += size;
}

void create_folders(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (!problem) return;
  throw failure(fmt::format("cannot create the folder {}: {}", folder.string(), problem.message()),
                hint_for_write(problem.value()));
}

std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto own = variable("TAGCLIP_HOME"); !own.empty()) return own;
  // The XDG specification has relative paths ignored.
  if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "tagclip";
  if (const auto home = variable("HOME"); !home.empty()) return home / ".cache" / "tagclip";
  throw failure("cannot tell where the cache is: HOME is not set",
                "name a folder with the variable TAGCLIP_HOME");
}

}  // namespace tagclip
