#include "kernels/linear/onednn.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <exception>

#include "base/error.h"

namespace tagclip {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using MaybeTensor = std::optional<at::Tensor>;

// LibTorch's private operators that this file calls: names, the precision that needs them, and
// their signatures. Nothing else in the tree looks up operators by name.
struct PrivateOperator {
  const char* name;
  GemmPrecision precision;
  size_t arguments;
};

constexpr PrivateOperator kReorderWeight{"mkldnn::_reorder_linear_weight", GemmPrecision::kBFloat16,
                                         2};
using ReorderWeight = at::Tensor(const at::Tensor&, std::optional<int64_t>);

constexpr PrivateOperator kLinear{"mkldnn::_linear_pointwise", GemmPrecision::kBFloat16, 6};
using Linear = at::Tensor(const at::Tensor&, const at::Tensor&, const MaybeTensor&,
                          std::string_view, Scalars, std::optional<std::string_view>);

constexpr PrivateOperator kPrepack{"onednn::qlinear_prepack", GemmPrecision::kInt8, 2};
using Prepack = at::Tensor(at::Tensor, std::optional<c10::List<int64_t>>);

constexpr PrivateOperator kQuantizedLinear{"onednn::qlinear_pointwise", GemmPrecision::kInt8, 13};
using QuantizedLinear = at::Tensor(at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor,
                                   MaybeTensor, double, int64_t, std::optional<at::ScalarType>,
                                   c10::string_view, Scalars, c10::string_view);

constexpr PrivateOperator kPrivateOperators[] = {kReorderWeight, kLinear, kPrepack,
                                                 kQuantizedLinear};

template <typename Signature>
auto handle_of(const PrivateOperator& used) {
  const std::string problem = operator_problem(used.name, used.arguments);
  if (!problem.empty()) throw failure("this LibTorch cannot be used for oneDNN: " + problem);
  return c10::Dispatcher::singleton().findSchemaOrThrow(used.name, "").typed<Signature>();
}

constexpr int64_t kUsualRows = 1024;  // the number of rows that oneDNN chooses its layout for
constexpr int64_t kZero = 128;        // qlinear takes unsigned bytes: x + 128

at::Tensor pack_bfloat16(const at::Tensor& weight) {
  static const auto pack = handle_of<ReorderWeight>(kReorderWeight);
  return pack.call(weight.contiguous(), std::nullopt);
}

at::Tensor multiply_bfloat16(const at::Tensor& x, const at::Tensor& packed) {
  static const auto multiply = handle_of<Linear>(kLinear);
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
  return precision == GemmPrecision::kBFloat16;  // int8 is untested on other architectures
}
#endif

// Multiplies small matrices. ONEDNN_MAX_CPU_ISA may forbid oneDNN the instructions that the
// processor has: it then refuses bfloat16, and its int8 products overflow.
bool multiplies_correctly(GemmPrecision precision) {
  const at::Tensor ones = at::ones({16, 64});
  GemmOperand rows = empty_operand(16, 64, precision);
  copy_to_operand(ones, rows);
  try {
    const at::Tensor product = onednn_product(rows, onednn_pack(rows, precision), at::ones({16}));
    const float one = precision == GemmPrecision::kInt8 ? 127.0f * 127.0f : 1.0f;
    return product.eq(64 * one).all().item<bool>();
  } catch (const std::exception&) {  // c10::Error or dnnl::error
    return false;
  }
}

}  // namespace

std::string operator_problem(const char* name, size_t arguments) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  if (!found) return std::string("operator ") + name + " is missing";
  if (found->schema().arguments().size() == arguments) return {};
  return std::string("operator ") + name + " takes other arguments: " + toString(found->schema());
}

std::string onednn_unsupported_reason(GemmPrecision precision) {
  const std::string name(name_of(precision));
  std::string no_instructions = "this processor has no instructions for matrices of " + name;
  if (!has_instructions(precision)) return no_instructions;
  for (const PrivateOperator& used : kPrivateOperators) {
    if (used.precision != precision) continue;
    const std::string problem = operator_problem(used.name, used.arguments);
    if (!problem.empty()) {
      return "the precision " + name + " does not run with this LibTorch: " + problem;
    }
  }
  return multiplies_correctly(precision) ? std::string() : no_instructions;
}

at::Tensor onednn_pack_int8(const at::Tensor& weight) {
  static const auto pack = handle_of<Prepack>(kPrepack);
  return pack.call(weight.contiguous(), c10::List<int64_t>({kUsualRows, weight.size(1)}));
}

at::Tensor onednn_multiply_bytes(const at::Tensor& bytes, int64_t zero, const at::Tensor& packed,
                                 const at::Tensor& scales) {
  static const auto multiply = handle_of<QuantizedLinear>(kQuantizedLinear);
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
