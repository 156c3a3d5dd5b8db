#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "outputs/output_format.h"

namespace tagclip {

// Writes a ZIP archive whose entries are stored as they are. The same entries give the same bytes:
// they all have the date 1980-01-01.
class ArchiveWriter {
 public:
  // `sink` must outlive it.
  explicit ArchiveWriter(const ByteSink& sink) : sink_(sink) {}

  // `name` is UTF-8 with slashes. Throws Error(kFailure) where the
  // archive would reach 4 GiB, which ZIP's own numbers cannot say.
  void add(const std::string& name, std::span<const std::byte> bytes);
  // Ends the archive.
  void finish();

 private:
  void write(const std::string& bytes);

  const ByteSink& sink_;
  uint64_t offset_ = 0;
  uint64_t entries_ = 0;
  std::string directory_;
};

}  // namespace tagclip
