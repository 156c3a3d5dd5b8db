#include "image/label_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/files.h"
#include "image/png.h"
#include "image/test_images.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kShared = shared_folder();

PngHeader::Colours colours_of(const std::filesystem::path& path) {
  return read_png_header(read_bytes(path), path.string(), {}).colours;
}

LabelMap every_label(int width, int height, int classes) {
  LabelMap map{width, height, {}};
  for (size_t i = 0; i < map.size(); ++i) {
    map.labels.push_back(i % 11 == 10 ? kIgnoreIndex : static_cast<uint16_t>(i % classes));
  }
  return map;
}

TEST(LabelMap, RoundTripThroughAPalette) {
  TestDir dir;
  const LabelMap map = every_label(67, 31, 255);
  write_label_map(dir / "a.png", map, voc_palette(255));
  EXPECT_EQ(colours_of(dir / "a.png"), PngHeader::Colours::kPalette);
  EXPECT_EQ(read_label_map(dir / "a.png").labels, map.labels);
}

TEST(LabelMap, PaletteIsWhatAViewerShows) {
  TestDir dir;
  write_label_map(dir / "a.png", {4, 1, {0, 1, 2, kIgnoreIndex}}, {{10, 20, 30}, {40, 50, 60}});
  const std::vector<uint8_t> expected{10, 20, 30, 40, 50, 60, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(read_image(dir / "a.png").pixels, expected);
}

TEST(LabelMap, ManyClassesTake16Bits) {
  TestDir dir;
  const LabelMap map = every_label(67, 31, 1000);
  write_label_map(dir / "a.png", map, voc_palette(1000));
  EXPECT_EQ(colours_of(dir / "a.png"), PngHeader::Colours::kGrey);
  EXPECT_EQ(read_label_map(dir / "a.png").labels, map.labels);
  // All files of one vocabulary have one format, whatever classes a photo shows.
  write_label_map(dir / "b.png", every_label(67, 31, 3), voc_palette(256));
  EXPECT_EQ(colours_of(dir / "b.png"), PngHeader::Colours::kGrey);
  // Class 255 does not fit beside the ignore label, however short the palette.
  write_label_map(dir / "c.png", {1, 1, {255}}, {});
  EXPECT_EQ(read_label_map(dir / "c.png").labels, std::vector<uint16_t>{255});
}

TEST(LabelMap, ColoursAreNoLabels) {
  TestDir dir;
  write_png(dir / "a.png", gradient_image(4, 4));
  EXPECT_THAT(bad_input_text([&] { read_label_map(dir / "a.png"); }), HasSubstr("an RGB image"));
}

TEST(LabelMap, JpegIsNoLabelFile) {
  TestDir dir;
  AtomicFile file(dir / "a.png");
  file.write(encode_jpeg(gradient_image(4, 4)));
  file.commit();
  EXPECT_THAT(bad_input_text([&] { read_label_map(dir / "a.png"); }), HasSubstr("a JPEG photo"));
}

TEST(LabelMap, LimitAndTruncation) {
  TestDir dir;
  write_label_map(dir / "a.png", every_label(40, 30, 20), voc_palette(20));
  EXPECT_THAT(bad_input_text([&] { read_label_map(dir / "a.png", {.max_pixels = 1199}); }),
              HasSubstr("max_pixels"));
  const auto whole = read_bytes(dir / "a.png");
  for (size_t length = 0; length < whole.size(); length += 7) {
    AtomicFile file(dir / "cut.png");
    file.write(std::span(whole).first(length));
    file.commit();
    EXPECT_THROW(read_label_map(dir / "cut.png"), Error) << length;
  }
}

TEST(LabelMap, VocFilesHoldClassIndices) {
  const auto folder = kShared / "data/voc2012_mini/SegmentationClass";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference data at " << folder;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".png") continue;
    const LabelMap map = read_label_map(entry.path());
    const std::set<uint16_t> seen(map.labels.begin(), map.labels.end());
    for (const uint16_t label : seen) EXPECT_TRUE(label <= 20 || label == kIgnoreIndex) << label;
    EXPECT_TRUE(seen.contains(0)) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST(LabelMap, StoredIgnoreIndex) {
  EXPECT_EQ(stored_ignore_index(255), 255);
  EXPECT_EQ(stored_ignore_index(256), 65535);
}

}  // namespace
}  // namespace tagclip
