#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace tagclip {

// The part of a batch that this process works on, where several share it.
struct BatchShare {
  int64_t part = 0;   // its index
  int64_t parts = 1;  // number of parts, of equal size
};

// Dropout from its own generator, so that a training step depends on nothing but its seed.
// A default-constructed one is the identity, for evaluation.
class Dropout {
 public:
  Dropout() = default;
  // The mask is drawn for the whole batch in every process: dividing the batch among processes
  // changes nothing.
  Dropout(double probability, at::Generator generator, BatchShare share = {})
      : probability_(probability), generator_(std::move(generator)), share_(share) {}

  bool active() const { return probability_ > 0; }

  // x [rows of this share, ...]
  at::Tensor operator()(const at::Tensor& x) const {
    if (!active()) return x;
    const double kept = 1 - probability_;
    at::DimVector whole(x.sizes());
    whole[0] *= share_.parts;
    const at::Tensor mask = at::empty(whole, x.options()).bernoulli_(kept, generator_).div_(kept);
    return x * mask.narrow(0, share_.part * x.size(0), x.size(0));
  }

 private:
  double probability_ = 0;
  std::optional<at::Generator> generator_;
  BatchShare share_;
};

}  // namespace tagclip
