#include "infer/calibration.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

TEST(Calibration, IsKeptPerMode) {
  const TestDir folder;
  const auto weights = folder.path() / "model.safetensors";
  EXPECT_EQ(read_calibration(weights, Mode::kTrained), std::nullopt);
  write_calibration(weights, Mode::kTrained, {.seen = 1.5, .novel = 2}, "msrc21, val");
  write_calibration(weights, Mode::kScClip, {.seen = 1, .novel = 0.5}, "msrc21, val");
  EXPECT_EQ(read_calibration(weights, Mode::kTrained), (Calibration{1.5, 2}));
  EXPECT_EQ(read_calibration(weights, Mode::kScClip), (Calibration{1, 0.5}));
  EXPECT_EQ(read_calibration(weights, Mode::kQuick), std::nullopt);
  EXPECT_EQ(calibration_file(weights), folder.path() / "model.calibration.json");
}

TEST(Calibration, FilesThatAreNone) {
  const TestDir folder;
  const auto weights = folder.path() / "model.safetensors";
  for (const std::string text :
       {"", "[]", R"({"trained": 3})", R"({"trained": {"seen": 1}})",
        R"({"trained": {"seen": 0, "novel": 1}})", R"({"trained": {"seen": "1", "novel": 1}})"}) {
    write_file(calibration_file(weights), text);
    EXPECT_THROW(read_calibration(weights, Mode::kTrained), Error) << text;
  }
}

}  // namespace
}  // namespace tagclip
