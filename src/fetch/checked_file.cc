#include "fetch/checked_file.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "fetch/cache.h"
#include "fetch/part_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

int64_t size_of(const fs::path& path) { return static_cast<int64_t>(size_of_file(path)); }

// Reads the whole file; returns its SHA-256. `take` gets each piece.
std::string read_all(const fs::path& path, const std::string& label, int64_t size, Console& console,
                     const std::function<void(std::span<const std::byte>)>& take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw cannot_read(path, errno);
  Sha256 sha256;
  std::vector<char> piece(size_t{1} << 20);
  int64_t done = 0;
  while (!file.eof()) {
    if (console.stop_requested()) throw Stopped();
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad()) throw cannot_read(path, errno);
    const auto bytes = std::as_bytes(std::span(piece).first(static_cast<size_t>(file.gcount())));
    sha256.update(bytes);
    take(bytes);
    done += file.gcount();
    show_progress(console, label + " " + path.filename().string(), done, size);
  }
  return sha256.hex();
}

std::optional<std::string> wrong_size(const CheckpointFile& expected, int64_t size) {
  if (!expected.size || *expected.size == size) return {};
  return fmt::format("it has {} bytes, {} are expected", size, *expected.size);
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  TAGCLIP_CHECK(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1, "no SHA-256");
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  TAGCLIP_CHECK(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  TAGCLIP_CHECK(EVP_DigestFinal_ex(context_->evp, digest.data(), &length) == 1, "SHA-256 failed");
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

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

std::optional<std::string> mismatch(const CheckpointFile& expected, const fs::path& path,
                                    Console& console) {
  const int64_t size = size_of(path);
  if (auto wrong = wrong_size(expected, size)) return wrong;
  if (expected.sha256.empty()) return {};
  return mismatch(expected, size, read_all(path, "checking", size, console, [](auto) {}));
}

void copy_checked(const CheckpointFile& expected, const fs::path& source, const fs::path& target,
                  Console& console) {
  const auto reject = [&](const std::string& why) {
    return bad_input(
        fmt::format("{}: not the {} that is expected: {}", source.string(), expected.name, why));
  };
  const int64_t size = size_of(source);
  if (const auto wrong = wrong_size(expected, size)) throw reject(*wrong);
  check_room(target.parent_path(), size);
  PartFile part(target);
  part.restart();
  try {
    // The kept bytes are the checked ones, even if the source changes meanwhile.
    const std::string sha256 = read_all(source, "copying", size, console,
                                        [&](std::span<const std::byte> b) { part.append(b); });
    if (const auto wrong = mismatch(expected, part.size(), sha256)) throw reject(*wrong);
    part.commit();
  } catch (...) {
    part.discard();
    throw;
  }
}

}  // namespace tagclip
