#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "clip/weights.h"
#include "support/places.h"
#include "weights/safetensors.h"

namespace tagclip {

// Copies of reference files, see tests/data/model. Tests only.
inline std::filesystem::path golden(const std::string& name) {
  return source_folder() / "tests/data/model" / name;
}

// A golden file and its tensors, which live as long as it does.
struct GoldenFile {
  explicit GoldenFile(const std::string& name)
      : file(SafetensorsFile::open(golden(name))), tensors(StateDict::from(file)) {}
  const at::Tensor& operator[](const std::string& name) const { return tensors.at(name); }

  SafetensorsFile file;
  StateDict tensors;
};

// Within absolute + relative * |expected|, element by element.
inline void expect_near(const std::string& name, const at::Tensor& found,
                        const at::Tensor& expected, double absolute, double relative = 0) {
  ASSERT_TRUE(found.defined()) << name << " was not computed";
  ASSERT_EQ(found.sizes(), expected.sizes()) << name;
  const at::Tensor difference = (found - expected).abs();
  const bool near = (difference <= absolute + relative * expected.abs()).all().item<bool>();
  EXPECT_TRUE(near) << name << ": largest difference "
                    << (difference.numel() ? difference.max().item<double>() : 0);
}

inline constexpr double kValue = 1e-5;  // absolute
inline constexpr double kLoss = 1e-5;   // relative
inline void expect_gradient(const std::string& name, const at::Tensor& found,
                            const at::Tensor& expected) {
  expect_near(name, found, expected, 1e-6, 1e-4);
}

}  // namespace tagclip
