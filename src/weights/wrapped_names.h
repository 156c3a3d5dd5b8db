#pragma once

#include <string>
#include <vector>

#include "weights/tensor_view.h"

namespace tagclip {

// Which of a checkpoint's tensors are the model's, and what stands before their names.
struct WrappedNames {
  std::string prefix;                 // of every name: "state_dict.module.", ...; may be empty
  std::vector<std::string> inner;     // wrappers inside names, too: "_orig_mod."
  std::vector<std::string> left_out;  // other parts with tensors, such as "optimizer"
  std::string choice;                 // where there are several models: which is read, and why
  std::vector<std::string> several;   // prefixes of models none of which is preferred
};

// Takes off what trainers and tools put before the names of a whole CLIP or segmentation model,
// whatever it is called and however often it is nested, and removes the tensors beside that model.
// A model is known by the names behind the prefix. Of several, averaged weights (EMA) come first,
// then the names that trainers give the model itself; otherwise all stay as they are and `several`
// tells them. Expects and leaves the tensors sorted by name.
WrappedNames unwrap_names(std::vector<TensorView>& tensors);

// Says what was taken off the names; empty where nothing was.
std::string describe_prefix(const WrappedNames& names);

}  // namespace tagclip
