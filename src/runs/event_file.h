#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"
#include "image/image.h"

namespace tagclip {

// Returns a record of a TFRecord file: the length of `data` in 8 bytes, the checksum of these,
// `data`, its checksum; numbers are little-endian.
std::string tf_record(std::string_view data);

// Returns the CRC-32C of `data`, masked as TFRecord stores it.
uint32_t masked_crc32c(std::string_view data);

// A TensorBoard event file, events.out.tfevents.<unix time>.<host>.<pid>, to which events are
// appended. An event has been passed to the operating system when the call returns. All functions
// throw Error(kFailure) when the file cannot be written; earlier events stay readable.
class EventFile {
 public:
  // Creates a file that sorts after those of earlier sessions in `folder`, which is created if it
  // is missing. TensorBoard drops the events of earlier files from `first_step` on: pass the step
  // after the one the run was resumed from, and events of a killed session after its last
  // checkpoint go.
  EventFile(const std::filesystem::path& folder, int64_t first_step);

  // Tags with a slash, as "loss/mask", are grouped by what stands before it.
  void add_scalar(int64_t step, std::string_view tag, double value);
  void add_image(int64_t step, std::string_view tag, const Image& image);

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

}  // namespace tagclip
