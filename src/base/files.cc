#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
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

constexpr const char* kNulInName = "the name holds a NUL character";

bool holds_nul(const std::filesystem::path& path) {
  return path.native().find('\0') != std::string::npos;
}

// A message ends at its first NUL.
std::string shown(const std::filesystem::path& path) {
  std::string text = path.string();
  for (size_t at = 0; (at = text.find('\0', at)) != text.npos;) text.replace(at, 1, "\\0");
  return text;
}

PathKind kind_of(mode_t mode) {
  return S_ISREG(mode) ? PathKind::kFile : S_ISDIR(mode) ? PathKind::kFolder : PathKind::kOther;
}

// Tells what an entry of an open folder is; nothing for a link. Some file systems do not tell with
// the name.
std::optional<PathKind> kind_of(DIR* folder, const dirent& entry) {
  auto mode = static_cast<mode_t>(DTTOIF(entry.d_type));
  struct stat status{};
  if (entry.d_type == DT_UNKNOWN) {
    // NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions): the folder is open
    const int unknown = ::fstatat(::dirfd(folder), entry.d_name, &status, AT_SYMLINK_NOFOLLOW);
    if (unknown != 0) return {};
    mode = status.st_mode;
  }
  if (S_ISLNK(mode)) return {};
  return kind_of(mode);
}

// True if a value of errno says that there is nothing of that name.
bool is_absence(int error) { return error == ENOENT || error == ENOTDIR; }

// A file or a pipe, open for reading.
class OpenFile {
 public:
  enum class Pipes { kRefused, kAccepted };

  OpenFile(const std::filesystem::path& path, Pipes pipes) : path_(path), owned_(true) {
    if (holds_nul(path)) throw cannot_read(path, kNulInName);
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
  // One that is open already, and stays so; `name` stands for it in messages.
  OpenFile(int descriptor, const std::filesystem::path& name)
      : path_(name), descriptor_(descriptor) {
    check_type(Pipes::kAccepted);
  }
  ~OpenFile() {
    if (owned_) ::close(descriptor_);
  }
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

  // All of it, to its end.
  std::string read_text(uint64_t limit) const {
    if (size() > limit) throw too_large(path_, limit);
    // A pipe tells no size, and a file may grow: read until there is nothing more.
    constexpr size_t kChunk = size_t{1} << 16;
    std::string text;
    size_t filled = 0, wanted = static_cast<size_t>(size()) + 1;
    do {
      text.resize(filled + wanted);
      filled += read(std::as_writable_bytes(std::span(text)).subspan(filled));
      if (filled > limit) throw too_large(path_, limit);
      wanted = std::max(kChunk, filled);
    } while (filled == text.size());
    text.resize(filled);
    return text;
  }

 private:
  void check_type(Pipes pipes) {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) throw cannot_read(path_, errno);
    if (S_ISDIR(status.st_mode)) {
      throw cannot_read(path_, "it is a folder, expected a file",
                        owned_ ? "" : "give the folder by its name instead");
    }
    if (!S_ISREG(status.st_mode) && pipes == Pipes::kRefused) {
      throw cannot_read(path_, "it is a pipe or a device, expected a file",
                        "save its content to a file first");
    }
    size_ = static_cast<uint64_t>(status.st_size);
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  bool owned_ = false;
  uint64_t size_ = 0;
};

std::string hint_for_write(int error) {
  if (error == ENOSPC || error == EDQUOT) return "free some space or choose another folder";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f)";
  if (error == ENAMETOOLONG) return "choose a shorter name";
  if (error == EISDIR || error == ENOTDIR || error == EEXIST) return "choose another name";
  return "choose a folder you may write to";
}

constexpr std::string_view kUnfinished = ".tmp-";

// The longest name of a file on common file systems, bytes.
constexpr size_t kMaxName = 255;

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  const std::string ending = fmt::format("{}{}-{}", kUnfinished, ::getpid(), counter++);
  const std::string name = target.filename().string();
  const bool fits = name.size() > kMaxName || name.size() + ending.size() <= kMaxName;
  return target.parent_path() / (fits ? name + ending : name.substr(ending.size()) + ending);
}

Error cannot_write(const std::filesystem::path& path, const std::string& reason,
                   std::string hint = {}) {
  return failure(fmt::format("cannot write {}: {}", shown(path), reason), std::move(hint));
}

void check_writable_name(const std::filesystem::path& path) {
  if (holds_nul(path)) throw cannot_write(path, kNulInName, "choose another name");
}

}  // namespace

Error cannot_read(const std::filesystem::path& path, const std::string& reason, std::string hint) {
  return bad_input(fmt::format("cannot read {}: {}", shown(path), reason), std::move(hint));
}

Error cannot_read(const std::filesystem::path& path, int error) {
  return cannot_read(path, std::strerror(error));
}

Error cannot_write(const std::filesystem::path& path, int error) {
  return cannot_write(path, std::strerror(error), hint_for_write(error));
}

PathStatus path_status(const std::filesystem::path& path) {
  if (holds_nul(path)) return {.error = EINVAL};
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {.error = is_absence(errno) ? 0 : errno};
  return {.kind = kind_of(status.st_mode), .size = static_cast<uint64_t>(status.st_size)};
}

PathKind path_kind(const std::filesystem::path& path) {
  if (holds_nul(path)) throw cannot_read(path, kNulInName);
  const PathStatus status = path_status(path);
  if (status.error != 0) throw cannot_read(path, status.error);
  return status.kind;
}

bool path_exists(const std::filesystem::path& path) {
  return path_kind(path) != PathKind::kNothing;
}
bool is_file(const std::filesystem::path& path) { return path_kind(path) == PathKind::kFile; }
bool is_folder(const std::filesystem::path& path) { return path_kind(path) == PathKind::kFolder; }

uint64_t size_of_file(const std::filesystem::path& path) {
  if (holds_nul(path)) throw cannot_read(path, kNulInName);
  const PathStatus status = path_status(path);
  if (status.kind == PathKind::kFile) return status.size;
  if (status.error != 0) throw cannot_read(path, status.error);
  if (status.kind == PathKind::kNothing) throw cannot_read(path, ENOENT);
  throw cannot_read(path, status.kind == PathKind::kFolder ? "it is a folder, expected a file"
                                                           : "it is no regular file");
}

std::filesystem::path link_target(const std::filesystem::path& link) {
  std::error_code problem;
  const auto target = std::filesystem::read_symlink(link, problem);
  if (problem) throw cannot_read(link, problem.value());
  return target;
}

std::optional<std::filesystem::path> resolved_path(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path whole = std::filesystem::canonical(path, error);
  return error ? std::nullopt : std::optional(std::move(whole));
}

std::optional<uint64_t> free_bytes(const std::filesystem::path& folder) {
  std::error_code unknown;
  const std::filesystem::space_info disk = std::filesystem::space(folder, unknown);
  return unknown ? std::nullopt : std::optional<uint64_t>(disk.available);
}

bool is_taken(const std::filesystem::path& path) {
  check_writable_name(path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT) return false;
  throw cannot_write(path, errno);
}

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  struct stat first{}, second{};
  return !holds_nul(a) && !holds_nul(b) && ::stat(a.c_str(), &first) == 0 &&
         ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

std::vector<FolderEntry> list_folder(const std::filesystem::path& folder) {
  if (holds_nul(folder)) throw cannot_read(folder, kNulInName);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      ::opendir(folder.empty() ? "." : folder.c_str()), ::closedir);
  if (directory == nullptr) throw cannot_read(folder, errno);
  std::vector<FolderEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) throw cannot_read(folder, errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      entries.push_back({std::string(name), kind_of(directory.get(), *entry)});
  }
  std::ranges::sort(entries, {}, &FolderEntry::name);
  return entries;
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code unknown;
  const std::filesystem::path absolute = std::filesystem::absolute(path, unknown);
  return (unknown ? path : absolute).lexically_normal();
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
  return OpenFile(path, OpenFile::Pipes::kAccepted).read_text(limit);
}

std::string read_standard_input(uint64_t limit) {
  return OpenFile(STDIN_FILENO, "standard input").read_text(limit);
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
  check_writable_name(target_);
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

bool is_unfinished(std::string_view file_name) {
  const size_t at = file_name.rfind(kUnfinished);
  if (at == file_name.npos) return false;
  const std::string_view number = file_name.substr(at + kUnfinished.size());
  return !number.empty() && number.find_first_not_of("0123456789-") == number.npos;
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
  check_writable_name(path_);
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

void check_output_folder(const std::filesystem::path& folder) {
  check_writable_name(folder);
  // The first of it and those above it that is there.
  std::filesystem::path place = folder;
  PathStatus status = path_status(place);
  while (status.error == 0 && status.kind == PathKind::kNothing && place != ".") {
    place = place.has_parent_path() ? place.parent_path() : ".";
    status = path_status(place);
  }
  if (status.error != 0) throw cannot_write(folder, status.error);
  if (status.kind != PathKind::kFolder) throw cannot_write(folder, ENOTDIR);
  if (::access(place.c_str(), W_OK | X_OK) != 0) throw cannot_write(folder, errno);
}

void create_folders(const std::filesystem::path& folder) {
  check_writable_name(folder);
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (!problem) return;
  throw failure(fmt::format("cannot create the folder {}: {}", folder.string(), problem.message()),
                hint_for_write(problem.value()));
}

void remove_path(const std::filesystem::path& path) {
  check_writable_name(path);
  if (std::remove(path.c_str()) != 0 && !is_absence(errno)) throw cannot_write(path, errno);
}

void remove_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void create_link(const std::filesystem::path& target, const std::filesystem::path& link) {
  check_writable_name(link);
  std::error_code problem;
  std::filesystem::create_symlink(target, link, problem);
  if (problem) throw cannot_write(link, problem.value());
}

void rename_path(const std::filesystem::path& from, const std::filesystem::path& to) {
  check_writable_name(from);
  check_writable_name(to);
  if (std::rename(from.c_str(), to.c_str()) != 0) throw cannot_write(to, errno);
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
