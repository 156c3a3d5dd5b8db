#include "fetch/expected.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "fetch/cache.h"
#include "fetch/interruption.h"

namespace tagclip {
namespace {

std::optional<std::string> wrong_size(const CheckpointFile& expected, int64_t size) {
  if (!expected.size || *expected.size == size) return {};
  return fmt::format("it has {} bytes, {} are expected", size, *expected.size);
}

std::string sha256_of(const std::filesystem::path& path, int64_t size, Console& console) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(size_t{1} << 20);
  Sha256 sha256;
  int64_t done = 0;
  while (file && !file.eof()) {
    if (console.stop_requested()) throw Stopped{};
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    sha256.update(std::as_bytes(std::span(piece).first(static_cast<size_t>(file.gcount()))));
    done += file.gcount();
    show_progress(console, "checking " + path.filename().string(), done, size);
  }
  if (!file.eof())
    throw bad_input(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  return sha256.hex();
}

}  // namespace

void show_progress(Console& console, const std::string& label, int64_t done, int64_t total) {
  constexpr int64_t kMiB = 1 << 20;
  console.progress(label + ", MiB", done / kMiB, total / kMiB);
}

std::optional<std::string> mismatch(const CheckpointFile& expected, int64_t size,
                                    const std::string& sha256) {
  if (auto wrong = wrong_size(expected, size)) return wrong;
  if (expected.sha256.empty() || expected.sha256 == sha256) return {};
  return fmt::format("its SHA-256 is {}, {} is expected", sha256, expected.sha256);
}

std::optional<std::string> mismatch(const CheckpointFile& expected,
                                    const std::filesystem::path& path, Console& console) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(path, problem);
  if (problem) throw bad_input(fmt::format("cannot read {}: {}", path.string(), problem.message()));
  if (auto wrong = wrong_size(expected, static_cast<int64_t>(size))) return wrong;
  if (expected.sha256.empty()) return {};
  return mismatch(expected, static_cast<int64_t>(size),
                  sha256_of(path, static_cast<int64_t>(size), console));
}

}  // namespace tagclip
