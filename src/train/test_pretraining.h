#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "clip/clip.h"
#include "image/label_map.h"
#include "image/png.h"
#include "support/test_dir.h"

namespace tagclip::test {

struct GreyPhoto {
  std::string key;
  uint8_t grey;
  std::string captions;  // a line each
};

inline ClipConfig smallest_clip(int64_t vision_layers) {
  return {.embedding = 16,
          .resolution = 16,
          .patch = 8,
          .vision_width = 16,
          .vision_layers = vision_layers,
          .vision_heads = 2,
          .context = 32,
          .vocabulary = 600,
          .text_width = 16,
          .text_layers = 1,
          .text_heads = 2};
}

// Makes the files that pretraining reads.
class PretrainFiles {
 public:
  std::string path(const std::string& file) const { return (dir_ / file).string(); }

  // A shard of plain photos of 12 x 12 pixels; its path.
  std::string shard(const std::string& file, const std::vector<GreyPhoto>& photos) const {
    std::string tar;
    for (const GreyPhoto& photo : photos) {
      tar += member(photo.key + ".png", png(12, 12, photo.grey));
      tar += member(photo.key + ".txt", photo.captions);
    }
    write_file(dir_ / file, tar + std::string(1024, '\0'));
    return path(file);
  }

  void text(const std::string& file, const std::string& content) const {
    write_file(place(file), content);
  }
  void photo(const std::string& file, int width, int height, uint8_t grey) const {
    write_file(place(file), png(width, height, grey));
  }
  // The same labels in every row.
  void labels(const std::string& file, int width, int height,
              const std::vector<uint16_t>& row) const {
    LabelMap map{width, height, {}};
    for (int y = 0; y < height; ++y) map.labels.insert(map.labels.end(), row.begin(), row.end());
    write_label_map(place(file), map, {});
  }

 private:
  static std::string png(int width, int height, uint8_t grey) {
    const std::vector<uint8_t> samples(static_cast<size_t>(3) * width * height, grey);
    const std::vector<std::byte> bytes =
        encode_png({.width = width, .height = height, .samples = samples});
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // A file of a tar archive (ustar).
  static std::string member(const std::string& name, const std::string& content) {
    std::string header = name;
    header.resize(100);
    header += fmt::format("{:07o}", 0644) + '\0' + std::string(16, '0');
    header += fmt::format("{:011o}", content.size()) + '\0' + std::string(12, '0');
    header += std::string(8, ' ') + '0';
    header.resize(257);
    header += std::string("ustar\00000", 8);
    header.resize(512);
    unsigned sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  std::filesystem::path place(const std::string& file) const {
    create_folders((dir_ / file).parent_path());
    return dir_ / file;
  }

  TestDir dir_;
};

}  // namespace tagclip::test
