#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"
#include "image/image.h"

namespace tagclip {

// A record of a TFRecord file: the length of `data` in 8 bytes, their checksum, `data`, its
// checksum; numbers are little-endian.
std::string tf_record(std::string_view data);

// CRC-32C, masked as TFRecord stores it.
uint32_t masked_crc32c(std::string_view data);

// A TensorBoard event file, events.out.tfevents.<unix time>.<host>.<pid>, that grows as a run goes
// on. Every call appends one event, which is with the system when the call returns. All throw
// Error(kFailure) when the file cannot be written; what was written before stays readable.
class EventFile {
 public:
  // A new file behind those that earlier sessions of the run left in `folder`, which is made where
  // it is missing. `first_step`: of the events to come. TensorBoard drops what it finds in the
  // earlier files from that step on: pass the step after the one a run was resumed from, and a
  // killed session's last words are gone.
  EventFile(const std::filesystem::path& folder, int64_t first_step);

  // Tags with a slash, as "loss/mask", are grouped by what stands before it.
  void add_scalar(int64_t step, std::string_view tag, double value);
  void add_image(int64_t step, std::string_view tag, const Image& image);

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

}  // namespace tagclip
