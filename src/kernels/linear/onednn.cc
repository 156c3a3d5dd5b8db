#include "kernels/linear/onednn.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <exception>

namespace tagclip {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

template <typename Signature>
auto operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

constexpr int64_t kUsualRows = 1024;  // what layouts are chosen for
constexpr int64_t kZero = 128;        // its bytes have no sign

at::Tensor pack_bfloat16(const at::Tensor& weight) {
  static const auto pack = operation<at::Tensor(const at::Tensor&, std::optional<int64_t>)>(
      "mkldnn::_reorder_linear_weight");
  return pack.call(weight.contiguous(), std::nullopt);
}

at::Tensor multiply_bfloat16(const at::Tensor& x, const at::Tensor& packed) {
  static const auto multiply =
      operation<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                           std::string_view, Scalars, std::optional<std::string_view>)>(
          "mkldnn::_linear_pointwise");
  return multiply.call(x, packed, std::nullopt, "none", Scalars(), "");
}

at::Tensor multiply_int8(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& scales) {
  const at::Tensor bytes = x.contiguous().view(at::kByte).bitwise_xor(kZero);  // x + 128
  return onednn_multiply_bytes(bytes, kZero, packed, scales);
}

#if defined(__x86_64__)
bool has_instructions(GemmPrecision precision) {
  if (precision == GemmPrecision::kBFloat16) return __builtin_cpu_supports("avx512bf16");
  return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
}
#else
bool has_instructions(GemmPrecision precision) {
  return precision == GemmPrecision::kBFloat16;  // of bytes nothing is known
}
#endif

// Whether oneDNN takes these numbers, or was told to leave the instructions alone: then it refuses
// bfloat16, and its sums of bytes overflow.
bool multiplies_as_it_should(GemmPrecision precision) {
  const at::Tensor ones = at::ones({16, 64});
  GemmOperand rows = empty_operand(16, 64, precision);
  copy_to_operand(ones, rows);
  try {
    const at::Tensor product = onednn_product(rows, onednn_pack(rows, precision), at::ones({16}));
    const float one = precision == GemmPrecision::kInt8 ? 127.0f * 127.0f : 1.0f;
    return product.eq(64 * one).all().item<bool>();
  } catch (const std::exception&) {  // LibTorch's, or oneDNN's own
    return false;
  }
}

}  // namespace

bool onednn_multiplies(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kBFloat16: {
      static const bool result = has_instructions(precision) && multiplies_as_it_should(precision);
      return result;
    }
    case GemmPrecision::kInt8: {
      static const bool result = has_instructions(precision) && multiplies_as_it_should(precision);
      return result;
    }
    default:
      return false;
  }
}

at::Tensor onednn_pack_int8(const at::Tensor& weight) {
  static const auto pack = operation<at::Tensor(at::Tensor, std::optional<c10::List<int64_t>>)>(
      "onednn::qlinear_prepack");
  return pack.call(weight.contiguous(), c10::List<int64_t>({kUsualRows, weight.size(1)}));
}

at::Tensor onednn_multiply_bytes(const at::Tensor& bytes, int64_t zero, const at::Tensor& packed,
                                 const at::Tensor& scales) {
  static const auto multiply = operation<at::Tensor(
      at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, std::optional<at::Tensor>,
      double, int64_t, std::optional<at::ScalarType>, c10::string_view, Scalars, c10::string_view)>(
      "onednn::qlinear_pointwise");
  const at::Tensor zeros = at::zeros({scales.size(0)}, at::kLong);
  return multiply.call(bytes, 1, zero, packed, scales, zeros, {}, 1, 0, at::kFloat, "none",
                       Scalars(), "");
}

at::Tensor onednn_pack(const GemmOperand& weight, GemmPrecision precision) {
  return precision == GemmPrecision::kInt8 ? onednn_pack_int8(weight.values)
                                           : pack_bfloat16(weight.values);
}

at::Tensor onednn_product(const GemmOperand& x, const at::Tensor& packed,
                          const at::Tensor& weight_scales) {
  return x.scales.defined() ? multiply_int8(x.values, packed, weight_scales)
                            : multiply_bfloat16(x.values, packed);
}

}  // namespace tagclip
