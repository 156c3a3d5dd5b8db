#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"
#include "support/places.h"
#include "weights/safetensors.h"

namespace tagclip::test {

inline std::filesystem::path shared_data() { return shared_folder(); }

// A file by the name that pipeline.json gives it, "shared/...".
inline std::filesystem::path shared_file(const nlohmann::json& name) {
  return shared_data() / name.get<std::string>().substr(std::string("shared/").size());
}

// A reference file of the pipeline: the repository's copy where there is one.
inline std::filesystem::path pipeline_file(const std::string& name) {
  const auto copy = source_folder() / "tests/data/pipeline" / name;
  return std::filesystem::exists(copy) ? copy : shared_data() / "golden/pipeline" / name;
}

inline const nlohmann::json& pipeline_json() {
  static const auto json = nlohmann::json::parse(std::ifstream(pipeline_file("pipeline.json")));
  return json;
}

inline const TensorView& tensor(const SafetensorsFile& file, const std::string& name) {
  const TensorView* view = file.find(name);
  if (view == nullptr) throw std::out_of_range("no tensor " + name);
  return *view;
}

template <typename T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name) {
  const TensorView& view = tensor(file, name);
  std::vector<T> out(view.data.size() / sizeof(T));
  std::memcpy(out.data(), view.data.data(), view.data.size());
  return out;
}

// A tensor [H, W, 3] as a picture.
inline Image image(const SafetensorsFile& file, const std::string& name) {
  const auto& shape = tensor(file, name).shape;
  return {static_cast<int>(shape.at(1)), static_cast<int>(shape.at(0)),
          values<uint8_t>(file, name)};
}

inline Image swap_red_and_blue(Image image) {
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    std::swap(image.pixels[i], image.pixels[i + 2]);
  }
  return image;
}

inline LabelMap labels_from(const std::vector<uint8_t>& bytes, int width, int height) {
  LabelMap map{width, height, {}};
  for (uint8_t byte : bytes) map.labels.push_back(byte == 255 ? kIgnoreIndex : byte);
  return map;
}

// Returns the labels as a label file of 8 bits holds them.
inline std::vector<uint8_t> bytes_of(const LabelMap& map) {
  return {map.labels.begin(), map.labels.end()};
}

// A tensor [H, W] or [1, H, W] as labels.
inline LabelMap labels(const SafetensorsFile& file, const std::string& name) {
  const auto& shape = tensor(file, name).shape;
  return labels_from(values<uint8_t>(file, name), static_cast<int>(shape.end()[-1]),
                     static_cast<int>(shape.end()[-2]));
}

// Every `stride`th value of rows and columns of [height, width, channels].
template <typename T>
std::vector<T> every(const std::vector<T>& values, int width, int channels, int stride) {
  std::vector<T> out;
  const int height = static_cast<int>(values.size()) / (width * channels);
  for (int y = 0; y < height; y += stride) {
    for (int x = 0; x < width; x += stride) {
      const auto from = values.begin() + (static_cast<ptrdiff_t>(y) * width + x) * channels;
      out.insert(out.end(), from, from + channels);
    }
  }
  return out;
}

template <typename T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) throw std::length_error("different sizes");
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

}  // namespace tagclip::test

// Photographs may not be copied into the repository: tests that need them say that they were left
// out.
#define TAGCLIP_NEEDS_SHARED(path)                                               \
  if (!std::filesystem::exists(path)) {                                          \
    GTEST_SKIP() << "left out: needs reference photos, not found at " << (path); \
  }
