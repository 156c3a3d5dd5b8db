#include "bench/floors.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kRows = {"VOC segment", "VOC blend"};

Measurement blend(double ratio, std::optional<int64_t> our_peak = 1 << 20) {
  return {.workload = "VOC",
          .task = "blend",
          .runs = {.ours = {1, 1, 1}, .reference = {ratio / 2, ratio, 2 * ratio}},
          .our_peak = our_peak,
          .reference_peak = 8 << 20};
}

class FloorsTest : public ::testing::Test {
 protected:
  Floors read(const std::string& text) {
    write_file(dir_ / "floors.toml", text);
    return read_floors(dir_ / "floors.toml", kRows);
  }

  void refuses(const std::string& text, const std::string& words) {
    try {
      read(text);
      ADD_FAILURE() << "was read: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  }

  TestDir dir_;
};

TEST_F(FloorsTest, AreReadByRow) {
  const Floors floors = read(
      "noise = 0.2\n[speed]\n\"VOC segment\" = 1.5\n\"VOC blend\" = 10\n"
      "[memory]\n\"VOC blend\" = 4\n");
  EXPECT_EQ(floors.noise, 0.2);
  EXPECT_EQ(floors.speed, (std::map<std::string, double>{{"VOC segment", 1.5}, {"VOC blend", 10}}));
  EXPECT_EQ(floors.memory, (std::map<std::string, double>{{"VOC blend", 4}}));
}

TEST_F(FloorsTest, OfRowsThatAreNeverMeasuredAreRefused) {
  refuses("[speed]\n\"VOC blnd\" = 10\n", "no row called VOC blnd");
  refuses("[sped]\n\"VOC blend\" = 10\n", "sped.VOC blend: not a setting");
  refuses("blend = 10\n", "blend: not a setting");
  refuses("[speed]\n\"VOC blend\" = \"fast\"\n", "expected a number");
  refuses("noise = 1.5\n", "noise");
}

TEST(BelowFloors, NamesTheRowsThatFellByMoreThanTheNoise) {
  const Floors floors{.noise = 0.1, .speed = {{"VOC blend", 10}}, .memory = {{"VOC blend", 8}}};
  EXPECT_THAT(below(floors, {blend(9.1)}), IsEmpty());
  EXPECT_THAT(
      below(floors, {blend(8.9)}),
      ElementsAre(HasSubstr("speed of VOC blend: plain LibTorch / ours is 8.9, its floor 10")));
  EXPECT_THAT(below(floors, {blend(11, 2 << 20)}), ElementsAre(HasSubstr("memory of VOC blend")));
  EXPECT_THAT(below(floors, {blend(11, std::nullopt)}), ElementsAre(HasSubstr("not be measured")));
}

TEST(BelowFloors, ARowWithoutAFloorMayBeAnything) {
  EXPECT_THAT(below({.speed = {{"VOC segment", 100}}}, {blend(0.1)}), IsEmpty());
}

}  // namespace
}  // namespace tagclip::bench
