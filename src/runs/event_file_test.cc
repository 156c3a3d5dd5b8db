#include "runs/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "draw/canvas.h"
#include "runs/event.pb.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

template <class Integer>
Integer number_at(std::string_view bytes, size_t at) {
  Integer value = 0;
  const std::string_view part = bytes.substr(at, sizeof value);
  std::memcpy(&value, part.data(), part.size());
  return value;
}

// Reads all events of a file and checks their checksums.
std::vector<Event> events_of(const std::filesystem::path& path) {
  const std::string content = read_text(path);
  std::string_view rest = content;
  std::vector<Event> events;
  while (!rest.empty()) {
    const auto length = number_at<uint64_t>(rest, 0);
    EXPECT_EQ(number_at<uint32_t>(rest, 8), masked_crc32c(rest.substr(0, 8)));
    const std::string_view data = rest.substr(12, length);
    EXPECT_EQ(number_at<uint32_t>(rest, 12 + length), masked_crc32c(data));
    EXPECT_TRUE(events.emplace_back().ParseFromString(std::string(data)));
    rest.remove_prefix(length + 16);
  }
  return events;
}

// The standard's check value is 0xE3069283; it is masked here by hand.
TEST(TfRecord, ChecksumIsMaskedCrc32c) {
  EXPECT_EQ(masked_crc32c("123456789"), 0xC78AB0E5U);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8U);
}

TEST(EventFile, BeginsWithItsVersionAndItsFirstStep) {
  TestDir dir;
  const EventFile file(dir / "deep/events", 7);
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[1].session_log().status(), EventSessionLog::START);
  EXPECT_EQ(events[1].step(), 7);
}

TEST(EventFile, ScalarsComeBack) {
  TestDir dir;
  EventFile file(dir.path(), 0);
  file.add_scalar(20, "loss/mask", 1.5);
  file.add_scalar(int64_t{1} << 40, "loss/mask", std::numeric_limits<double>::quiet_NaN());
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[2].step(), 20);
  EXPECT_GT(events[2].wall_time(), 1.7e9);
  EXPECT_EQ(events[2].summary().value(0).tag(), "loss/mask");
  EXPECT_EQ(events[2].summary().value(0).simple_value(), 1.5);
  EXPECT_EQ(events[3].step(), int64_t{1} << 40);
  EXPECT_TRUE(std::isnan(events[3].summary().value(0).simple_value()));
}

TEST(EventFile, ImagesComeBack) {
  TestDir dir;
  Image image{5, 3, std::vector<uint8_t>(45)};
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(5 * i);
  EventFile file(dir.path(), 0);
  file.add_image(4, "examples", image);
  const Event event = events_of(file.path()).at(2);
  const EventImage& stored = event.summary().value(0).image();
  EXPECT_EQ(stored.width(), 5);
  EXPECT_EQ(stored.height(), 3);
  const std::string& png = stored.encoded_image_string();
  EXPECT_EQ(decode_image(std::as_bytes(std::span(png)), "image").pixels, image.pixels);
}

TEST(EventFile, ALaterSessionComesLaterByName) {
  TestDir dir;
  std::vector<std::string> names;
  for (int session = 0; session < 3; ++session) {
    names.push_back(EventFile(dir.path(), session).path().filename().string());
  }
  EXPECT_LT(names[0], names[1]);
  EXPECT_LT(names[1], names[2]);
}

// Two sessions of a run for tests/parity/tensorboard_test.py, which knows these numbers.
TEST(EventFile, WritesASampleForTensorBoard) {
  const char* folder = std::getenv("TAGCLIP_EVENT_FOLDER");
  if (folder == nullptr) GTEST_SKIP() << "TAGCLIP_EVENT_FOLDER is not set";
  EventFile killed(folder, 1);
  for (int step = 1; step <= 6; ++step) killed.add_scalar(step, "loss/mask", 10.0 / step);
  killed.add_image(2, "examples/sheep", solid_image(8, 4, {200, 100, 50}));
  killed.add_image(6, "examples/sheep", solid_image(8, 4, {1, 2, 3}));
  EventFile resumed(folder, 5);
  for (int step = 5; step <= 8; ++step) resumed.add_scalar(step, "loss/mask", 100.0 + step);
  resumed.add_image(7, "examples/sheep", solid_image(16, 2, {50, 100, 200}));
}

TEST(EventFile, AFolderThatCannotBeMadeIsNamed) {
  try {
    const EventFile file("/dev/null/events", 0);
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/dev/null/events"));
  }
}

}  // namespace
}  // namespace tagclip
