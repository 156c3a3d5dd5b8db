#include "kernels/attention/attention.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/attention/products.h"

namespace tagclip {
namespace {

// Queries `part` of one head -> their rows of `out`, `out_stride` apart.
template <typename Products, typename Stored>
void attend(Products& products, const HeadRows<Stored>& rows, Interval part, Stored* out,
            int64_t out_stride, float* sums) {
  const float scale = 1 / std::sqrt(static_cast<float>(rows.d));
  std::array<float, kQueryRows> shares;
  for (int64_t begin = part.begin; begin < part.end; begin += kQueryRows) {
    const int64_t n = std::min(kQueryRows, part.end - begin);
    products.score(rows.queries + begin * rows.stride, rows.stride, n);
    for (int64_t i = 0; i < n; ++i) shares[i] = products.weigh(i, scale);
    products.gather(n, sums);
    for (int64_t i = 0; i < n; ++i) {
      scaled_row(sums + i * rows.d, shares[i], rows.d, out + (begin + i) * out_stride);
    }
  }
}

// Into how many parts a head's queries are cut, so that every thread has some.
int64_t query_parts(int64_t heads, int64_t queries) {
  const int64_t wanted = (int64_t{2} * at::get_num_threads() + heads - 1) / heads;
  return std::clamp<int64_t>(wanted, 1, (queries + kQueryRows - 1) / kQueryRows);
}

template <typename Products, typename Stored>
void attend_all(const at::Tensor& qkv, const at::Tensor& also, int64_t heads, at::Tensor& out) {
  const int64_t B = qkv.size(0), L = qkv.size(1), width = qkv.size(2) / 3, d = width / heads;
  const int64_t P = also.defined() ? also.size(0) : 0;
  const Stored* own = numbers_of<Stored>(qkv);
  const Stored* others = P > 0 ? numbers_of<Stored>(also) : nullptr;
  auto* to = numbers_of<Stored>(out);
  const int64_t parts = at::get_num_threads() == 1 ? 1 : query_parts(B * heads, L);
  at::parallel_for(0, B * heads * parts, 1, [&](int64_t begin, int64_t end) {
    Products products(L + P, d);
    at::Tensor sums = at::empty({kQueryRows, d});
    int64_t packed = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / parts, part = task % parts;
      const int64_t photo = head / heads, column = head % heads * d;
      const Stored* first = own + photo * L * 3 * width + column;
      const HeadRows<Stored> rows{first,
                                  first + width,
                                  first + 2 * width,
                                  others + column,
                                  others + width + column,
                                  L,
                                  P,
                                  3 * width,
                                  2 * width,
                                  d};
      if (packed != head) products.pack(rows);
      packed = head;
      attend(products, rows, {part * L / parts, (part + 1) * L / parts},
             to + photo * L * width + column, width, sums.mutable_data_ptr<float>());
    }
    release_matrix_units(Products::kUnits);
  });
}

bool on_matrix_units(const at::Tensor& qkv, int64_t heads) {
  // Pairs of numbers along a head's width are multiplied together.
  return at::native::cpublas::could_pack(at::kBFloat16) && qkv.size(2) / 3 / heads % 2 == 0;
}

}  // namespace

void attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads,
               GemmPrecision precision, at::Tensor& out) {
  TAGCLIP_CHECK(qkv.is_contiguous() && out.is_contiguous() && qkv.dim() == 3 &&
                    out.sizes() == at::IntArrayRef({qkv.size(0), qkv.size(1), qkv.size(2) / 3}) &&
                    qkv.scalar_type() == storage_type(precision) &&
                    out.scalar_type() == qkv.scalar_type(),
                "attention: qkv [B, L, 3 D], out [B, L, D]");
  TAGCLIP_CHECK(!also.defined() || (also.is_contiguous() && also.size(1) * 3 == qkv.size(2) * 2 &&
                                    also.scalar_type() == qkv.scalar_type()),
                "attention: also [P, 2 D]");
  if (precision == GemmPrecision::kBFloat16x3 && on_matrix_units(qkv, heads)) {
    attend_all<SplitProducts, float>(qkv, also, heads, out);
  } else if (qkv.scalar_type() == at::kFloat) {
    attend_all<FloatProducts, float>(qkv, also, heads, out);
  } else if (on_matrix_units(qkv, heads)) {
    attend_all<Bfloat16Products, uint16_t>(qkv, also, heads, out);
  } else {
    attend_all<FloatProducts, uint16_t>(qkv, also, heads, out);
  }
}

at::Tensor reference_attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads) {
  const int64_t B = qkv.size(0), width = qkv.size(2) / 3, d = width / heads;
  const auto by_head = [&](const at::Tensor& x) {
    return x.to(at::kFloat).unflatten(2, {heads, d}).transpose(1, 2);
  };
  const auto all = [&](int64_t which) {  // keys 1, values 2: [B, heads, L + P, d]
    at::Tensor own = by_head(qkv.narrow(2, which * width, width));
    if (!also.defined()) return own;
    const at::Tensor others = by_head(also.narrow(1, (which - 1) * width, width).unsqueeze(0));
    return at::cat({own, others.expand({B, -1, -1, -1})}, 2);
  };
  const at::Tensor scores = by_head(qkv.narrow(2, 0, width)).matmul(all(1).transpose(2, 3)) /
                            std::sqrt(static_cast<double>(d));
  return scores.softmax(-1).matmul(all(2)).transpose(1, 2).flatten(2).to(qkv.scalar_type());
}

}  // namespace tagclip
