#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "clip/clip.h"

namespace tagclip {

// 32 hexadecimal digits that other values, shapes or types would not have; the same on every
// machine and device. Not a defence against forgery.
std::string fingerprint(const std::vector<at::Tensor>& tensors);

// All that a text's embedding depends on.
std::string fingerprint(const TextTower& tower, const ClipConfig& config);

}  // namespace tagclip
