#include "kernels/attention/attention.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "kernels/attention/products.h"

namespace tagclip {
namespace {

// Computes the rows of `out` for queries `part` of one head; rows of `out` lie `out_stride` apart.
template <typename Products, typename Stored>
void attend(Products& products, const HeadRows<Stored>& rows, Interval part, Stored* out,
            int64_t out_stride, float* sums) {
  const float scale = 1 / std::sqrt(static_cast<float>(rows.d));
  std::array<float, kQueryRows> shares;
  for (int64_t begin = part.begin; begin < part.end; begin += kQueryRows) {
    const int64_t n = std::min(kQueryRows, part.end - begin);
    products.compute_scores(rows.queries + begin * rows.stride, rows.stride, n);
    for (int64_t i = 0; i < n; ++i) shares[i] = products.softmax(i, scale);
    products.sum_values(n, sums);
    for (int64_t i = 0; i < n; ++i) {
      scale_row(sums + i * rows.d, shares[i], rows.d, out + (begin + i) * out_stride);
    }
  }
}

// The number of parts that a head's queries are cut into, so that every thread has some.
int64_t query_parts(int64_t heads, int64_t queries) {
  const int64_t wanted = (int64_t{2} * at::get_num_threads() + heads - 1) / heads;
  return std::clamp<int64_t>(wanted, 1, (queries + kQueryRows - 1) / kQueryRows);
}

template <typename Products, typename Stored>
void attend_all(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads,
                at::Tensor& out) {
  const int64_t B = qkv.size(0), L = qkv.size(1), width = qkv.size(2) / 3, d = width / heads;
  const int64_t P = prefix_kv.defined() ? prefix_kv.size(0) : 0;
  const Stored* own = data_of<Stored>(qkv);
  const Stored* prefix = P > 0 ? data_of<Stored>(prefix_kv) : nullptr;
  auto* to = data_of<Stored>(out);
  const int64_t parts = at::get_num_threads() == 1 ? 1 : query_parts(B * heads, L);
  at::parallel_for(0, B * heads * parts, 1, [&](int64_t begin, int64_t end) {
    Products products(L + P, d);
    at::Tensor sums = at::empty({kQueryRows, d});
    int64_t packed = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / parts, part = task % parts;
      const int64_t image = head / heads, column = head % heads * d;
      const Stored* first = own + image * L * 3 * width + column;
      const HeadRows<Stored> rows{.queries = first,
                                  .keys = first + width,
                                  .values = first + 2 * width,
                                  .prefix_keys = prefix + column,
                                  .prefix_values = prefix + width + column,
                                  .own = L,
                                  .prefix = P,
                                  .stride = 3 * width,
                                  .prefix_stride = 2 * width,
                                  .d = d};
      if (packed != head) products.pack(rows);
      packed = head;
      attend(products, rows, {part * L / parts, (part + 1) * L / parts},
             to + image * L * width + column, width, sums.mutable_data_ptr<float>());
    }
    release_block_products(Products::kType);
  });
}

// True if products of blocks take this head in bfloat16. They multiply pairs of numbers along its
// width.
bool has_bfloat16_products(const at::Tensor& qkv, int64_t heads) {
  return has_block_products(at::kBFloat16) && qkv.size(2) / 3 / heads % 2 == 0;
}

}  // namespace

void attention(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads,
               GemmPrecision precision, at::Tensor& out) {
  TAGCLIP_CHECK(qkv.is_contiguous() && out.is_contiguous() && qkv.dim() == 3 &&
                    out.sizes() == at::IntArrayRef({qkv.size(0), qkv.size(1), qkv.size(2) / 3}) &&
                    qkv.scalar_type() == storage_type(precision) &&
                    out.scalar_type() == qkv.scalar_type(),
                "attention: qkv must be [B, L, 3 D] and out [B, L, D], of storage_type");
  TAGCLIP_CHECK(!prefix_kv.defined() ||
                    (prefix_kv.is_contiguous() && prefix_kv.size(1) * 3 == qkv.size(2) * 2 &&
                     prefix_kv.scalar_type() == qkv.scalar_type()),
                "attention: prefix_kv must be [P, 2 D] of the type of qkv");
  if (precision == GemmPrecision::kBFloat16x3 && has_bfloat16_products(qkv, heads)) {
    attend_all<SplitProducts, float>(qkv, prefix_kv, heads, out);
  } else if (qkv.scalar_type() == at::kFloat) {
    attend_all<FloatProducts, float>(qkv, prefix_kv, heads, out);
  } else if (has_bfloat16_products(qkv, heads)) {
    attend_all<BFloat16Products, uint16_t>(qkv, prefix_kv, heads, out);
  } else {
    attend_all<FloatProducts, uint16_t>(qkv, prefix_kv, heads, out);
  }
}

at::Tensor reference_attention(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads) {
  const int64_t B = qkv.size(0), width = qkv.size(2) / 3, d = width / heads;
  const auto by_head = [&](const at::Tensor& x) {  // [B, heads, L, d]
    return x.to(at::kFloat).unflatten(2, {heads, d}).transpose(1, 2);
  };
  const auto with_prefix = [&](int64_t which) {  // keys 1, values 2: [B, heads, L + P, d]
    at::Tensor own = by_head(qkv.narrow(2, which * width, width));
    if (!prefix_kv.defined()) return own;
    const at::Tensor prefix = by_head(prefix_kv.narrow(1, (which - 1) * width, width).unsqueeze(0));
    return at::cat({own, prefix.expand({B, -1, -1, -1})}, 2);
  };
  const at::Tensor scores =
      by_head(qkv.narrow(2, 0, width)).matmul(with_prefix(1).transpose(2, 3)) /
      std::sqrt(static_cast<double>(d));
  return scores.softmax(-1).matmul(with_prefix(2)).transpose(1, 2).flatten(2).to(qkv.scalar_type());
}

}  // namespace tagclip
