#include "weights/mmseg_meta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/places.h"
#include "support/test_dir.h"
#include "weights/weights_file.h"

namespace tagclip {
namespace {

const std::filesystem::path kCheckpoint =
    source_folder() / "tests/data/checkpoints/mmseg_iter_20000_legacy.pth";

TEST(MmsegMeta, ClassesAndWhichWereSeen) {
  const auto file = WeightsFile::open(kCheckpoint);
  const StoredClasses classes = read_mmseg_meta(*file.root(), "x.pth");
  EXPECT_EQ(classes.names.size(), classes.seen.size());
  EXPECT_EQ(classes.names,
            (std::vector<std::string>{"aeroplane", "bicycle", "bird", "boat", "bottle", "bus",
                                      "pottedplant", "sheep", "sofa"}));
  EXPECT_EQ(classes.seen,
            (std::vector<bool>{true, true, true, true, true, true, false, false, false}));
}

// Reads the stored config with its line about the optimizer replaced by one of the same length.
StoredClasses with_line(std::string line) {
  const std::string replaced = "optimizer = dict(type='AdamW', lr=2e-05, weight_decay=0.01)";
  line.resize(replaced.size(), ' ');
  std::ifstream stream(kCheckpoint, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  bytes.replace(bytes.find(replaced), replaced.size(), line);
  const TestDir folder;
  std::ofstream(folder / "model.pth", std::ios::binary) << bytes;
  const auto file = WeightsFile::open(folder / "model.pth");
  return read_mmseg_meta(*file.root(), "model.pth");
}

TEST(MmsegMeta, TheFileOfTextEmbeddingsTellsThePrompt) {
  EXPECT_EQ(with_line("").prompt, "");
  EXPECT_EQ(with_line("load_text_embedding='a/coco_multi.npy'").prompt, "multi");
  EXPECT_EQ(with_line("load_text_embedding=\n  \"voc12_single.npy\"").prompt, "single");
  EXPECT_EQ(with_line("load_text_embedding='multi/words.npy'").prompt, "");
  EXPECT_EQ(with_line("load_text_embedding=None").prompt, "");
}

TEST(MmsegMeta, ACheckpointOfSomebodyElseSaysNothing) {
  const auto file =
      WeightsFile::open(source_folder() / "tests/data/checkpoints/open_clip_epoch_7.pt");
  EXPECT_TRUE(read_mmseg_meta(*file.root(), "x.pt").names.empty());
}

}  // namespace
}  // namespace tagclip
