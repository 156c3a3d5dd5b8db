#include "train/held_input.h"

#include <array>

namespace tagclip {
namespace {

template <typename Input>
auto parts_of(Input& input) {
  return std::array{&input.pixels, &input.text, &input.targets.labels, &input.targets.seen_mask,
                    &input.pseudo};
}

bool alike(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type();
}

}  // namespace

bool HeldInput::hold(const StepInput& input) {
  const auto from = parts_of(input);
  const auto to = parts_of(held_);
  bool same = true;
  for (size_t i = 0; i < from.size(); ++i) same = same && alike(*from[i], *to[i]);
  for (size_t i = 0; i < from.size(); ++i) {
    if (!from[i]->defined()) {
      to[i]->reset();
    } else if (same) {
      to[i]->copy_(*from[i]);
    } else {
      *to[i] = from[i]->clone();
    }
  }
  return same;
}

}  // namespace tagclip
