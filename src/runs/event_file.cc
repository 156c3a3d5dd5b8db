#include "runs/event_file.h"

#include <fmt/format.h>
#include <isa-l.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <span>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "image/png.h"
#include "runs/event.pb.h"

namespace tagclip {
namespace {

template <class Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

uint32_t crc32c(std::string_view data) {
  TAGCLIP_CHECK(data.size() <= std::numeric_limits<int>::max(), "a record below 2 GiB");
  // ISA-L computes the iSCSI polynomial's remainder; what it starts and ends with is the caller's.
  // The cast is safe: crc32_iscsi takes a pointer to non-const, but only reads.
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
  return ~crc32_iscsi(bytes, static_cast<int>(data.size()), 0xFFFFFFFFU);
}

constexpr std::string_view kPrefix = "events.out.tfevents.";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The time in an event file's name; 0 for other files.
int64_t time_in(const std::string& name) {
  constexpr int64_t kLast = 9'999'999'998;  // names of more digits would sort otherwise
  if (!name.starts_with(kPrefix)) return 0;
  int64_t time = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), time);
  return std::clamp(time, int64_t{0}, kLast);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

// TensorBoard reads the files of a run in the order of their names: each must come after those
// there are, also when the clock went back or the second is the same.
std::filesystem::path next_path(const std::filesystem::path& folder) {
  auto time = static_cast<int64_t>(now());
  for (const FolderEntry& entry : list_folder(folder)) {
    time = std::max(time, time_in(entry.name) + 1);
  }
  return folder / fmt::format("{}{}.{}.{}", kPrefix, time, host_name(), ::getpid());
}

Event event_at(int64_t step) {
  Event event;
  event.set_wall_time(now());
  event.set_step(step);
  return event;
}

EventSummary::Value& add_value(Event& event, std::string_view tag) {
  EventSummary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(std::string(tag));
  return value;
}

std::filesystem::path made(const std::filesystem::path& folder) {
  create_folders(folder);
  return folder;
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  constexpr uint32_t kMaskDelta = 0xA282EAD8U;
  const uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + kMaskDelta;
}

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(uint64_t{data.size()});
  std::string record = length + little_endian(masked_crc32c(length));
  record += data;
  return record + little_endian(masked_crc32c(data));
}

EventFile::EventFile(const std::filesystem::path& folder, int64_t first_step)
    : file_(next_path(made(folder))) {
  Event version = event_at(0);
  version.set_file_version("brain.Event:2");
  Event start = event_at(first_step);
  start.mutable_session_log()->set_status(EventSessionLog::START);
  file_.append(tf_record(version.SerializeAsString()) + tf_record(start.SerializeAsString()));
}

void EventFile::add_scalar(int64_t step, std::string_view tag, double value) {
  Event event = event_at(step);
  add_value(event, tag).set_simple_value(static_cast<float>(value));
  file_.append(tf_record(event.SerializeAsString()));
}

void EventFile::add_image(int64_t step, std::string_view tag, const Image& image) {
  const std::vector<std::byte> png = encode_png(image);
  Event event = event_at(step);
  EventImage& shown = *add_value(event, tag).mutable_image();
  shown.set_width(image.width);
  shown.set_height(image.height);
  shown.set_colorspace(3);
  shown.set_encoded_image_string(png.data(), png.size());
  file_.append(tf_record(event.SerializeAsString()));
}

}  // namespace tagclip
