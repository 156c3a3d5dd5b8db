#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// Dropout from its own generator, so that a training step depends on nothing but its seed.
// A default-constructed one is evaluation: the identity.
class Dropout {
 public:
  Dropout() = default;
  Dropout(double probability, at::Generator generator)
      : probability_(probability), generator_(std::move(generator)) {}

  bool active() const { return probability_ > 0; }

  at::Tensor operator()(const at::Tensor& x) const {
    if (!active()) return x;
    const double kept = 1 - probability_;
    return x *
           at::empty_like(x, at::MemoryFormat::Contiguous).bernoulli_(kept, generator_).div_(kept);
  }

 private:
  double probability_ = 0;
  std::optional<at::Generator> generator_;
};

}  // namespace tagclip
