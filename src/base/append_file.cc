#include "base/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/write_error.h"

namespace tagclip {

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

}  // namespace tagclip
