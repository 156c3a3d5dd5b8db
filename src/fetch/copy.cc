#include "fetch/copy.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "fetch/cache.h"
#include "fetch/expected.h"
#include "fetch/interruption.h"
#include "fetch/part_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

Error cannot_read(const fs::path& source, const std::string& reason) {
  return bad_input(fmt::format("cannot read {}: {}", source.string(), reason));
}

int64_t size_of(const fs::path& source) {
  std::error_code problem;
  if (fs::is_directory(source, problem)) throw cannot_read(source, "it is a folder");
  const auto size = fs::file_size(source, problem);
  if (problem) throw cannot_read(source, problem.message());
  return static_cast<int64_t>(size);
}

// All of the file into the part; its SHA-256.
std::string copy_bytes(const fs::path& source, int64_t size, PartFile& part, Console& console) {
  std::ifstream file(source, std::ios::binary);
  if (!file) throw cannot_read(source, std::strerror(errno));
  Sha256 sha256;
  std::vector<char> piece(size_t{1} << 20);
  while (!file.eof()) {
    if (console.stop_requested()) throw Stopped{};
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad()) throw cannot_read(source, std::strerror(errno));
    const auto bytes = std::as_bytes(std::span(piece).first(static_cast<size_t>(file.gcount())));
    sha256.update(bytes);
    part.append(bytes);
    show_progress(console, "copying " + source.filename().string(), part.size(), size);
  }
  return sha256.hex();
}

}  // namespace

void copy_checked(const CheckpointFile& expected, const fs::path& source, const fs::path& target,
                  Console& console) {
  const auto reject = [&](const std::string& why) {
    return bad_input(
        fmt::format("{}: not the {} that is expected: {}", source.string(), expected.name, why));
  };
  const int64_t size = size_of(source);
  if (expected.size && *expected.size != size) throw reject(*mismatch(expected, size, ""));
  check_room(target.parent_path(), size);
  PartFile part(target);
  part.restart();
  try {
    // What is kept is what was checked, whatever becomes of the source meanwhile.
    const std::string sha256 = copy_bytes(source, size, part, console);
    if (const auto wrong = mismatch(expected, part.size(), sha256)) throw reject(*wrong);
    part.commit();
  } catch (...) {
    part.discard();
    throw;
  }
}

}  // namespace tagclip
