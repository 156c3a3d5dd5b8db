#pragma once

#include <vector>

#include "clip/parameters.h"

namespace tagclip {

// Frozen matrices that steps in mixed precision read in bfloat16, at half the memory and without
// being converted every time. Their float32 values wait on the CPU for validation and saving.
class LoweredWeights {
 public:
  // Nothing that is trained may be among them.
  explicit LoweredWeights(std::vector<Parameter> matrices);

  void lower();  // to bfloat16
  void raise();  // back to the values they had at first

 private:
  std::vector<Parameter> matrices_;
  std::vector<at::Tensor> originals_;  // float32, on the CPU
  std::vector<at::Tensor> lowered_;  // bfloat16; the same memory for good: captured graphs read it
};

// The matrices of the vision tower, which autocast would convert in every step.
std::vector<Parameter> frozen_matrices(const ParameterList& parameters);

}  // namespace tagclip
