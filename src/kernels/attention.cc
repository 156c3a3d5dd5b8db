#include "kernels/attention.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/attention_loops.h"
#include "kernels/matrix_panels.h"
#include "kernels/row_loops.h"
#include "kernels/rows.h"

namespace tagclip {
namespace {

constexpr int64_t kQueryRows = 32;  // at a time: their scores stay in the second cache

// The rows that one head of one photo reads, as they lie in memory.
template <typename Stored>
struct HeadRows {
  const Stored *queries, *keys, *values;  // rows `stride` apart, `own` of each
  const Stored *also_keys, *also_values;  // rows `also_stride` apart
  int64_t own, also, stride, also_stride, d;

  int64_t count() const { return own + also; }
  const Stored* key(int64_t i) const {
    return i < own ? keys + i * stride : also_keys + (i - own) * also_stride;
  }
  const Stored* value(int64_t i) const {
    return i < own ? values + i * stride : also_values + (i - own) * also_stride;
  }
};

const float* widened(const float* row, int64_t, std::vector<float>&) { return row; }
const float* widened(const uint16_t* row, int64_t n, std::vector<float>& memory) {
  memory.resize(n);
  widen_row(row, n, memory.data());
  return memory.data();
}

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

constexpr int64_t kLine = 16;  // floats of a cache line: where rows begin

// Products of float32, from rows of either type.
class FloatProducts {
 public:
  FloatProducts(int64_t keys, int64_t d)
      : keys_(keys),
        stride_(round_up(keys, kLine)),
        d_(d),
        key_panel_(at::zeros({d, stride_})),
        value_panel_(at::empty({keys, d})),
        queries_(at::empty({kQueryRows, d})),
        scores_(at::empty({kQueryRows, stride_})) {}

  template <typename Stored>
  void pack(const HeadRows<Stored>& rows) {
    auto* columns = reinterpret_cast<uint32_t*>(key_panel_.mutable_data_ptr<float>());
    auto* values = value_panel_.mutable_data_ptr<float>();
    for (int64_t i = 0; i < keys_; ++i) {
      const float* key = widened(rows.key(i), d_, row_);
      put_column(reinterpret_cast<const uint32_t*>(key), d_, stride_, columns + i);
      std::copy_n(widened(rows.value(i), d_, row_), d_, values + i * d_);
    }
  }

  // The scores of n queries, `stride` apart.
  template <typename Stored>
  void score(const Stored* queries, int64_t stride, int64_t n) {
    auto* own = queries_.mutable_data_ptr<float>();
    for (int64_t i = 0; i < n; ++i) {
      std::copy_n(widened(queries + i * stride, d_, row_), d_, own + i * d_);
    }
    multiply(
        n, stride_, d_,
        ProductOperands<float, float>{own, key_panel_.const_data_ptr<float>(),
                                      scores_.mutable_data_ptr<float>(), d_, stride_, stride_});
  }

  // Turns the scores of query i into weights, up to the factor that it returns.
  float weigh(int64_t i, float scale) {
    return softmax_row(scores_.mutable_data_ptr<float>() + i * stride_, keys_, scale);
  }

  // sums [n, d]: the values of n queries by their weights.
  void gather(int64_t n, float* sums) {
    multiply(
        n, d_, keys_,
        ProductOperands<float, float>{scores_.const_data_ptr<float>(),
                                      value_panel_.const_data_ptr<float>(), sums, stride_, d_, d_});
  }

  static constexpr at::ScalarType kUnits = at::kFloat;

 private:
  int64_t keys_, stride_, d_;
  at::Tensor key_panel_;    // [d, stride]
  at::Tensor value_panel_;  // [keys, d]
  at::Tensor queries_;      // [kQueryRows, d]
  at::Tensor scores_;       // [kQueryRows, stride]
  std::vector<float> row_;
};

// Products of bfloat16, on AMX. Of keys and values, pairs of numbers that are multiplied together
// lie side by side.
class Bfloat16Products {
 public:
  Bfloat16Products(int64_t keys, int64_t d)
      : keys_(keys),
        stride_(round_up(keys, 2 * kLine)),
        d_(d),
        key_panel_(at::zeros({d / 2, stride_, 2}, at::kBFloat16)),
        value_panel_(at::zeros({stride_ / 2, d, 2}, at::kBFloat16)),
        queries_(at::empty({kQueryRows, d}, at::kBFloat16)),
        scores_(at::empty({kQueryRows, stride_})),
        weights_(at::zeros({kQueryRows, stride_}, at::kBFloat16)),
        zeros_(d) {}

  void pack(const HeadRows<uint16_t>& rows) {
    auto* columns = reinterpret_cast<uint32_t*>(bfloat16_bits(key_panel_));
    uint16_t* values = bfloat16_bits(value_panel_);
    for (int64_t i = 0; i < keys_; ++i) {
      put_column(reinterpret_cast<const uint32_t*>(rows.key(i)), d_ / 2, stride_, columns + i);
    }
    for (int64_t i = 0; i < keys_; i += 2) {
      interleave(rows.value(i), i + 1 < keys_ ? rows.value(i + 1) : zeros_.data(), d_,
                 values + i * d_);
    }
  }

  void score(const uint16_t* queries, int64_t stride, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      std::copy_n(queries + i * stride, d_, bfloat16_bits(queries_) + i * d_);
    }
    multiply(n, stride_, d_,
             ProductOperands<at::BFloat16, float>{
                 queries_.const_data_ptr<at::BFloat16>(), key_panel_.const_data_ptr<at::BFloat16>(),
                 scores_.mutable_data_ptr<float>(), d_, stride_, stride_});
  }

  float weigh(int64_t i, float scale) {
    float* scores = scores_.mutable_data_ptr<float>() + i * stride_;
    const float share = rough_softmax_row(scores, keys_, scale);
    narrow_row(scores, keys_, bfloat16_bits(weights_) + i * stride_);
    return share;
  }

  void gather(int64_t n, float* sums) {
    multiply(n, d_, stride_,
             ProductOperands<at::BFloat16, float>{weights_.const_data_ptr<at::BFloat16>(),
                                                  value_panel_.const_data_ptr<at::BFloat16>(), sums,
                                                  stride_, d_, d_});
  }

  static constexpr at::ScalarType kUnits = at::kBFloat16;

 private:
  int64_t keys_, stride_, d_;
  at::Tensor key_panel_;    // [d / 2, stride, 2]
  at::Tensor value_panel_;  // [stride / 2, d, 2], zeros behind the last
  at::Tensor queries_;      // [kQueryRows, d]
  at::Tensor scores_;       // [kQueryRows, stride]
  at::Tensor weights_;      // [kQueryRows, stride], zeros behind the last
  std::vector<uint16_t> zeros_;
};

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
  const int64_t wanted = (2 * at::get_num_threads() + heads - 1) / heads;
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

void attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads, at::Tensor& out) {
  TAGCLIP_CHECK(qkv.is_contiguous() && out.is_contiguous() && qkv.dim() == 3 &&
                    out.sizes() == at::IntArrayRef({qkv.size(0), qkv.size(1), qkv.size(2) / 3}) &&
                    out.scalar_type() == qkv.scalar_type(),
                "attention: qkv [B, L, 3 D], out [B, L, D]");
  TAGCLIP_CHECK(!also.defined() || (also.is_contiguous() && also.size(1) * 3 == qkv.size(2) * 2 &&
                                    also.scalar_type() == qkv.scalar_type()),
                "attention: also [P, 2 D]");
  if (qkv.scalar_type() == at::kFloat) {
    attend_all<FloatProducts, float>(qkv, also, heads, out);
  } else if (on_matrix_units(qkv, heads)) {
    attend_all<Bfloat16Products, uint16_t>(qkv, also, heads, out);
  } else {
    attend_all<FloatProducts, uint16_t>(qkv, also, heads, out);
  }
}

at::Tensor plain_attention(const at::Tensor& qkv, const at::Tensor& also, int64_t heads) {
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
