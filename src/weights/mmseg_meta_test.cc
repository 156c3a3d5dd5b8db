#include "weights/mmseg_meta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "weights/weights_file.h"

namespace tagclip {
namespace {

TEST(MmsegMeta, ClassesAndWhichWereSeen) {
  const auto file = WeightsFile::open(std::filesystem::path(TAGCLIP_SOURCE_DIR) /
                                      "tests/data/checkpoints/mmseg_iter_20000_legacy.pth");
  const StoredClasses classes = read_mmseg_meta(*file.root(), "x.pth");
  EXPECT_EQ(classes.names.size(), classes.seen.size());
  EXPECT_EQ(classes.names,
            (std::vector<std::string>{"aeroplane", "bicycle", "bird", "boat", "bottle", "bus",
                                      "pottedplant", "sheep", "sofa"}));
  EXPECT_EQ(classes.seen,
            (std::vector<bool>{true, true, true, true, true, true, false, false, false}));
}

TEST(MmsegMeta, ACheckpointOfSomebodyElseSaysNothing) {
  const auto file = WeightsFile::open(std::filesystem::path(TAGCLIP_SOURCE_DIR) /
                                      "tests/data/checkpoints/open_clip_epoch_7.pt");
  EXPECT_TRUE(read_mmseg_meta(*file.root(), "x.pt").names.empty());
}

}  // namespace
}  // namespace tagclip
