#pragma once

#include "model/losses.h"

namespace tagclip {

// What one step looks at, on the model's device.
struct StepInput {
  at::Tensor pixels;  // [B, 3, H, W], normalised
  at::Tensor text;    // [C, d], unit rows: the classes that are trained
  Targets targets;    // of those classes
  at::Tensor pseudo;  // [U] int64, maps that pixels of kHiddenClass are given to; undefined: none
};

// Keeps the input of a step in the same memory from step to step, where a recording reads it.
class HeldInput {
 public:
  // Copies `input` to where the last one was. False where it has other shapes: it is then copied to
  // new memory.
  bool hold(const StepInput& input);

  const StepInput& get() const { return held_; }

 private:
  StepInput held_;
};

}  // namespace tagclip
