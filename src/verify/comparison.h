#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace tagclip {

// An element may differ from its expected value e by absolute + relative |e|.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

// Holds the differences between a computed tensor and the expected one. They are NaN where either
// is not a number.
struct Comparison {
  std::string name;
  std::vector<int64_t> shape;
  Tolerance tolerance;
  double absolute = 0;  // largest difference
  double relative = 0;  // that, over the largest |expected|
  double used = 0;      // largest share of what is allowed; infinite for NaN

  bool within() const { return used <= 1; }
};

// The tensors must have the same shape and at least one element.
Comparison compare(const std::string& name, const at::Tensor& found, const at::Tensor& expected,
                   Tolerance tolerance);

// Holds the result of `tagclip verify`.
struct Verification {
  std::vector<Comparison> compared;
  std::vector<std::string> unknown;  // expected, but nothing here computes them

  // True if every expected value was computed and is within its tolerance.
  bool passed() const;
};

// Returns a table, worst tensor first, and a summary that names the first tensor in the order of
// the computation to drift.
std::string format_table(const Verification& verification);
std::string to_json(const Verification& verification);

}  // namespace tagclip
