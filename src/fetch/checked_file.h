#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/console.h"
#include "fetch/table.h"

namespace tagclip {

// The SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  // 64 lower-case hexadecimal digits; call it once, at the end.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Shows the bytes so far of the total, in MiB.
void show_progress(Console& console, const std::string& label, int64_t done, int64_t total);

// Describes how these bytes differ from what is expected: "it has 5 bytes, 7 are expected";
// nothing when all that is published agrees.
std::optional<std::string> mismatch(const CheckpointFile& expected, int64_t size,
                                    const std::string& sha256);

// The same of a file on the disk, which is read for it unless its size is wrong already. Throws
// Stopped; Error(kBadInput) when it cannot be read.
std::optional<std::string> mismatch(const CheckpointFile& expected,
                                    const std::filesystem::path& path, Console& console);

// Copies a file the user brought to `target`, which appears whole and checked or not at all.
// Throws Stopped; Error(kBadInput) where it cannot be read or is not what is expected;
// Error(kFailure) where the copy cannot be written.
void copy_checked(const CheckpointFile& expected, const std::filesystem::path& source,
                  const std::filesystem::path& target, Console& console);

}  // namespace tagclip
