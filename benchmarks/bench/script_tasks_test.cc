#include "bench/script_tasks.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "image/palette.h"
#include "image/png.h"
#include "support/test_dir.h"

namespace tagclip::bench {
namespace {

class Loader : public ::testing::Test {
 protected:
  Loader() {
    for (const char* part : {"images", "labels"}) std::filesystem::create_directory(dir_ / part);
    write_png(dir_ / "images/a.png", {16, 8, std::vector<uint8_t>(16 * 8 * 3, 90)});
    write_label_map(dir_ / "labels/a.png", {16, 8, std::vector<uint16_t>(16 * 8, 1)},
                    voc_palette(2));
    write_file(dir_ / "train.txt", "a\n");
    write_file(dir_ / "classes.txt", "ground\nsky\n");
  }

  TestDir dir_;
};

TEST_F(Loader, MakesWholeBatchesAndSaysWhereTheTimeGoes) {
  const LoaderSpeed speed = measure_loader(dir_.path().string(), "train", 17);
  EXPECT_EQ(speed.samples, 32);
  EXPECT_GT(speed.seconds, 0);
  EXPECT_EQ(speed.stages.size(), 4U);
  double sum = 0;
  for (const Stage& stage : speed.stages) {
    EXPECT_GE(stage.seconds, 0) << stage.name;
    sum += stage.seconds;
  }
  // The stages are most of what a sample takes.
  EXPECT_GT(sum, 0.2 / speed.samples_per_second());
  EXPECT_LT(sum, 5 / speed.samples_per_second());
}

TEST_F(Loader, RefusesWhatTrainingRefuses) {
  write_file(dir_ / "classes.txt", "ground\n");
  EXPECT_THROW(measure_loader(dir_.path().string(), "train", 1), Error);
}

}  // namespace
}  // namespace tagclip::bench
