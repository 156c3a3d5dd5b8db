#include "kernels/linear/block_products.h"

#include <ATen/native/CPUBlas.h>

#include <type_traits>

#include "kernels/linear/operand.h"

namespace tagclip {
namespace {

int64_t group_of(at::ScalarType type) { return static_cast<int64_t>(4 / at::elementSize(type)); }

template <typename T, typename Sum>
void multiply_part(const at::Tensor& a, Interval part, const at::Tensor& panels, int64_t panel,
                   Beta beta, at::Tensor& c) {
  const int64_t width = panels.size(2), K = panels.size(1) * panels.size(3);
  multiply(part.size(), width, K,
           ProductOperands<T, Sum>{a.const_data_ptr<T>() + part.begin * a.stride(0),
                                   panels.const_data_ptr<T>() + panel * panels.stride(0),
                                   c.mutable_data_ptr<Sum>(), a.stride(0), width, width},
           beta);
}

template <typename T, typename Sum>
void brgemm(int64_t M, int64_t N, int64_t K, const ProductOperands<T, Sum>& p, Beta beta) {
  at::native::cpublas::brgemm(M, N, K, p.a_stride, p.b_stride, p.c_stride, beta == Beta::kOne, p.a,
                              p.b, p.c, /*is_vnni=*/!std::is_same_v<T, float>);
}

}  // namespace

bool has_amx(at::ScalarType type) {
  return type != at::kFloat && at::native::cpublas::could_pack(type);
}

bool has_block_products(at::ScalarType type) {
  return type == at::kFloat || has_amx(type) || (type == at::kBFloat16 && has_bfloat16_dot()) ||
         (type == at::kChar && has_int8_dot());
}

at::Tensor pack_panels(const at::Tensor& rows, int64_t panel) {
  const int64_t N = rows.size(0), K = rows.size(1), group = group_of(rows.scalar_type());
  const int64_t padded = round_up(N, panel), depth = round_up(K, group);
  at::Tensor all = at::zeros({padded, depth}, rows.options());
  all.narrow(0, 0, N).narrow(1, 0, K).copy_(rows);
  return all.view({padded / panel, panel, depth / group, group}).permute({0, 2, 1, 3}).contiguous();
}

void multiply_panel(const at::Tensor& a, Interval part, const at::Tensor& panels, int64_t panel,
                    Beta beta, at::Tensor& c) {
  switch (a.scalar_type()) {
    case at::kFloat:
      return multiply_part<float, float>(a, part, panels, panel, beta, c);
    case at::kBFloat16:
      return multiply_part<at::BFloat16, float>(a, part, panels, panel, beta, c);
    default:
      return multiply_part<int8_t, int32_t>(a, part, panels, panel, beta, c);
  }
}

void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<float, float>& p, Beta beta) {
  brgemm(M, N, K, p, beta);
}

void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<at::BFloat16, float>& p,
              Beta beta) {
  static const bool amx = has_amx(at::kBFloat16);
  if (amx) return brgemm(M, N, K, p, beta);
  multiply_by_dot(M, N, K,
                  {reinterpret_cast<const uint16_t*>(p.a), reinterpret_cast<const uint16_t*>(p.b),
                   p.c, p.a_stride, p.b_stride, p.c_stride},
                  beta == Beta::kOne);
}

void multiply(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
              Beta beta) {
  static const bool amx = has_amx(at::kChar);
  if (amx) return brgemm(M, N, K, p, beta);
  multiply_by_dot(M, N, K, p, beta == Beta::kOne);
}

void release_block_products(at::ScalarType type) {
  if (type == at::kFloat || has_amx(type)) {
    at::native::cpublas::brgemm_release(/*is_vnni=*/type != at::kFloat);
  }
}

}  // namespace tagclip
