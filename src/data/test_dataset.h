#pragma once

#include <filesystem>
#include <random>
#include <string>

#include "base/files.h"
#include "data/dataset_info.h"
#include "image/label_map.h"
#include "image/png.h"
#include "support/test_dir.h"

namespace tagclip::test {

// A photo of coarse noise: one of its own for each seed, the same at every size.
inline Image make_photo(int width, int height, uint64_t seed) {
  constexpr int kCells = 8;
  std::mt19937_64 random(seed);
  std::vector<uint8_t> cells(kCells * kCells * 3);
  for (uint8_t& value : cells) value = static_cast<uint8_t>(random());
  Image photo{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int cell = y * kCells / height * kCells + x * kCells / width;
      for (int c = 0; c < 3; ++c) photo.pixels.push_back(cells[cell * 3 + c]);
    }
  }
  return photo;
}

// Builds the files of a data set.
class DatasetFiles {
 public:
  std::filesystem::path operator/(const std::filesystem::path& name) const { return dir_ / name; }
  DatasetOptions options(const std::string& kind = "auto") const {
    return {.folder = dir_.path().string(), .kind = kind};
  }

  void text(const std::filesystem::path& file, const std::string& content) const {
    write_file(place(file), content);
  }
  void photo(const std::filesystem::path& file, const Image& image) const {
    write_png(place(file), image);
  }
  // 8 bits, as values stand.
  void labels(const std::filesystem::path& file, int width, int height,
              std::vector<uint16_t> values) const {
    write_label_map(place(file), {width, height, std::move(values)}, {});
  }

 private:
  std::filesystem::path place(const std::filesystem::path& file) const {
    const std::filesystem::path path = dir_ / file;
    std::filesystem::create_directories(path.parent_path());
    return path;
  }

  TestDir dir_;
};

}  // namespace tagclip::test
