#include "kernels/linear/quick_gelu.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/linear/operand.h"
#include "kernels/linear/simd_rows.h"

namespace tagclip {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;  // numbers a thread takes at a time

template <typename T>
void activate(const at::Tensor& x, at::Tensor& out) {
  const T* from = numbers_of<T>(x);
  T* to = numbers_of<T>(out);
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    quick_gelu_row(from + begin, end - begin, to + begin);
  });
}

template <typename T>
void derive(const at::Tensor& x, const at::Tensor& gradient, at::Tensor& out) {
  const T *from = numbers_of<T>(x), *above = numbers_of<T>(gradient);
  T* to = numbers_of<T>(out);
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    quick_gelu_gradient_row(from + begin, above + begin, end - begin, to + begin);
  });
}

struct QuickGelu : torch::autograd::Function<QuickGelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    at::Tensor out = at::empty_like(x);
    x.scalar_type() == at::kFloat ? activate<float>(x, out) : activate<uint16_t>(x, out);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor out = at::empty_like(x);
    x.scalar_type() == at::kFloat ? derive<float>(x, gradient, out)
                                  : derive<uint16_t>(x, gradient, out);
    return {out};
  }
};

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) {
  const bool ours = x.is_cpu() && x.is_contiguous() &&
                    (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  return ours ? QuickGelu::apply(x) : reference_quick_gelu(x);
}

at::Tensor reference_quick_gelu(const at::Tensor& x) { return x * at::sigmoid(1.702 * x); }

}  // namespace tagclip
