#pragma once

#include <ATen/ATen.h>

#include <mutex>
#include <string>
#include <vector>

#include "clip/clip.h"

namespace tagclip {

// 32 hexadecimal digits that other values, shapes or types would not have; the same on every
// machine and device. Not a defence against forgery.
std::string fingerprint(const std::vector<at::Tensor>& tensors);

// The fingerprint of some tensors, computed when it is first asked for: it takes reading them all.
// Safe to use from several threads.
class Fingerprint {
 public:
  explicit Fingerprint(std::vector<at::Tensor> tensors) : tensors_(std::move(tensors)) {}

  // Lets go of the tensors.
  const std::string& digits() const;

 private:
  mutable std::once_flag once_;
  mutable std::vector<at::Tensor> tensors_;
  mutable std::string digits_;
};

// Everything that a text's embedding depends on.
std::string fingerprint(const TextTower& tower, const ClipConfig& config);

}  // namespace tagclip
