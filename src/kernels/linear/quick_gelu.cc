#include "kernels/linear/quick_gelu.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "base/platform.h"
#include "kernels/common/bfloat16.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kNumbersPerTask = 16384;

TAGCLIP_MULTIVERSION
void forward_row(const float* __restrict x, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = quick_gelu_of(x[i]);
}

TAGCLIP_MULTIVERSION
void forward_row(const uint16_t* __restrict x, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(quick_gelu_of(from_bfloat16(x[i])));
}

TAGCLIP_MULTIVERSION
void backward_row(const float* __restrict x, const float* __restrict gradient, int64_t n,
                  float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = gradient[i] * quick_gelu_slope(x[i]);
}

TAGCLIP_MULTIVERSION
void backward_row(const uint16_t* __restrict x, const uint16_t* __restrict gradient, int64_t n,
                  uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    out[i] = to_bfloat16(from_bfloat16(gradient[i]) * quick_gelu_slope(from_bfloat16(x[i])));
  }
}

template <typename T>
void run_forward(const at::Tensor& x, at::Tensor& out) {
  const T* from = data_of<T>(x);
  T* to = data_of<T>(out);
  at::parallel_for(0, x.numel(), kNumbersPerTask, [&](int64_t begin, int64_t end) {
    forward_row(from + begin, end - begin, to + begin);
  });
}

template <typename T>
void run_backward(const at::Tensor& x, const at::Tensor& gradient, at::Tensor& out) {
  const T *from = data_of<T>(x), *above = data_of<T>(gradient);
  T* to = data_of<T>(out);
  at::parallel_for(0, x.numel(), kNumbersPerTask, [&](int64_t begin, int64_t end) {
    backward_row(from + begin, above + begin, end - begin, to + begin);
  });
}

struct QuickGelu : torch::autograd::Function<QuickGelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    at::Tensor out = at::empty_like(x);
    x.scalar_type() == at::kFloat ? run_forward<float>(x, out) : run_forward<uint16_t>(x, out);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor out = at::empty_like(x);
    x.scalar_type() == at::kFloat ? run_backward<float>(x, gradient, out)
                                  : run_backward<uint16_t>(x, gradient, out);
    return {out};
  }
};

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) {
  const bool supported = x.is_cpu() && x.is_contiguous() &&
                         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  return supported ? QuickGelu::apply(x) : reference_quick_gelu(x);
}

at::Tensor reference_quick_gelu(const at::Tensor& x) { return x * at::sigmoid(1.702 * x); }

}  // namespace tagclip
