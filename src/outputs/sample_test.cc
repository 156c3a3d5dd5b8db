#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/files.h"
#include "image/png.h"
#include "outputs/output_format.h"
#include "outputs/stored_result.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

// Blobs of classes with noise on them, and unlabelled pixels: holes, diagonals and thin parts
// occur.
LabelMap noisy_map(int width, int height, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> chance(0, 1);
  LabelMap map{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto blob = static_cast<uint16_t>((x / 23 + y / 17 + static_cast<int>(seed)) % 3);
      const double fate = chance(random);
      map.labels.push_back(fate < 0.04   ? kIgnoreIndex
                           : fate < 0.15 ? static_cast<uint16_t>(random() % 3)
                                         : blob);
    }
  }
  return map;
}

// tests/parity/formats_test.py reads what this writes into $TAGCLIP_OUTPUT_FOLDER with the tools
// that the formats are for.
TEST(OutputFormats, WritesASampleForOtherTools) {
  const TestDir own;
  const char* given = std::getenv("TAGCLIP_OUTPUT_FOLDER");
  const std::filesystem::path folder = given != nullptr ? given : own.path();
  const OutputRun run{.folder = folder,
                      .classes = {"cat", "sky", "sea & sand"},
                      .palette = result_palette(3),
                      .model = "mini"};
  std::vector<const OutputFormat*> formats;
  for (const OutputFormat& format : output_formats()) formats.push_back(&format);
  RunFiles run_files(run, formats, /*overwrite=*/true);
  create_folders(folder / "photos");
  for (uint32_t p = 0; p < 3; ++p) {
    const std::string stem = "photo" + std::to_string(p);
    const LabelMap map = noisy_map(131 + 40 * static_cast<int>(p), 97, p + 1);
    const Image photo{map.width, map.height, std::vector<uint8_t>(map.size() * 3, 90)};
    write_png(folder / "photos" / (stem + ".png"), photo);
    const Regions regions = find_regions(map, p == 2);
    const PhotoOutput output{run,
                             {folder / "photos" / (stem + ".png"), stem, map, regions},
                             photo,
                             {{run.palette[0], "cat", ""}},
                             [&](std::span<const int> classes) {
                               return std::vector(classes.size(),
                                                  std::vector<float>(map.size(), 0.5F));
                             }};
    for (const OutputFormat* format : formats) {
      if (format->write_photo == nullptr) continue;
      const auto path = photo_path(*format, folder, stem);
      create_folders(path.parent_path());
      AtomicFile file(path);
      format->write_photo(output, [&](std::span<const std::byte> bytes) { file.write(bytes); });
      file.commit();
      EXPECT_GT(path_status(path).size, 0U) << path;
    }
    run_files.add(output.labelled);
  }
  run_files.commit();
  EXPECT_GT(path_status(folder / "cvat/masks.zip").size, 1000U);
}

}  // namespace
}  // namespace tagclip
