#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "kernels/common/bfloat16.h"
#include "kernels/linear/block_products.h"
#include "kernels/linear/operand.h"

namespace tagclip {

// The matrix products of `attention` for one head at a time, in float32, bfloat16 and bfloat16x3.
// Each class offers the same steps: pack the head's keys and values, then for up to kQueryRows
// queries compute_scores, softmax per query, sum_values.

inline constexpr int64_t kQueryRows = 32;  // their scores fit the L2 cache

// The rows of one head of one image in memory; `own` queries, keys and values and `prefix` keys and
// values.
template <typename Stored>
struct HeadRows {
  const Stored *queries, *keys, *values;      // rows `stride` apart
  const Stored *prefix_keys, *prefix_values;  // rows `prefix_stride` apart
  int64_t own, prefix, stride, prefix_stride, d;

  const Stored* key(int64_t i) const {
    return i < own ? keys + i * stride : prefix_keys + (i - own) * prefix_stride;
  }
  const Stored* value(int64_t i) const {
    return i < own ? values + i * stride : prefix_values + (i - own) * prefix_stride;
  }
};

// Loops over rows of n numbers. Ranges do not overlap.

// Replaces scores by exp(scale (score - their maximum)); returns 1 / the sum of those. `rough`: as
// exact as bfloat16 can hold.
float softmax_row(float* scores, int64_t n, float scale);
float rough_softmax_row(float* scores, int64_t n, float scale);
// out = a[0] b[0] a[1] b[1] ...
void interleave(const uint16_t* a, const uint16_t* b, int64_t n, uint16_t* out);
// columns[i * stride] = x[i]
void put_column(const uint32_t* x, int64_t n, int64_t stride, uint32_t* columns);

// A row as floats, converted into `memory` where necessary.
inline const float* as_floats(const float* row, int64_t, std::vector<float>&) { return row; }
inline const float* as_floats(const uint16_t* row, int64_t n, std::vector<float>& memory) {
  memory.resize(n);
  from_bfloat16_row(row, n, memory.data());
  return memory.data();
}

inline constexpr int64_t kLine = 16;  // floats per cache line, to which rows are aligned

// Products in float32 of rows of either type.
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
      const float* key = as_floats(rows.key(i), d_, row_);
      put_column(reinterpret_cast<const uint32_t*>(key), d_, stride_, columns + i);
      std::copy_n(as_floats(rows.value(i), d_, row_), d_, values + i * d_);
    }
  }

  // The scores of n queries whose rows lie `stride` apart.
  template <typename Stored>
  void compute_scores(const Stored* queries, int64_t stride, int64_t n) {
    auto* own = queries_.mutable_data_ptr<float>();
    for (int64_t i = 0; i < n; ++i) {
      std::copy_n(as_floats(queries + i * stride, d_, row_), d_, own + i * d_);
    }
    multiply(
        n, stride_, d_,
        ProductOperands<float, float>{own, key_panel_.const_data_ptr<float>(),
                                      scores_.mutable_data_ptr<float>(), d_, stride_, stride_});
  }

  // Turns the scores of query i into unnormalised weights; returns the factor that normalises them.
  float softmax(int64_t i, float scale) {
    return softmax_row(scores_.mutable_data_ptr<float>() + i * stride_, keys_, scale);
  }

  // sums [n, d]: the weighted sums of the values of n queries.
  void sum_values(int64_t n, float* sums) {
    multiply(
        n, d_, keys_,
        ProductOperands<float, float>{scores_.const_data_ptr<float>(),
                                      value_panel_.const_data_ptr<float>(), sums, stride_, d_, d_});
  }

  static constexpr at::ScalarType kType = at::kFloat;

 private:
  int64_t keys_, stride_, d_;
  at::Tensor key_panel_;    // [d, stride]
  at::Tensor value_panel_;  // [keys, d]
  at::Tensor queries_;      // [kQueryRows, d]
  at::Tensor scores_;       // [kQueryRows, stride]
  std::vector<float> row_;
};

// c [n, N] = a b + beta c, with the first n rows of a [., K] and a panel b [K / 2, N, 2].
inline void multiply_bfloat16(const at::Tensor& a, int64_t n, const at::Tensor& b, float* c,
                              Beta beta = Beta::kZero) {
  const int64_t N = b.size(1), K = a.size(1);
  multiply(n, N, K,
           ProductOperands<at::BFloat16, float>{a.const_data_ptr<at::BFloat16>(),
                                                b.const_data_ptr<at::BFloat16>(), c, K, N, N},
           beta);
}

// Products in bfloat16. Panels hold pairs of numbers that are multiplied together side by
// side.
class BFloat16Products {
 public:
  BFloat16Products(int64_t keys, int64_t d)
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
    auto* columns = reinterpret_cast<uint32_t*>(bfloat16_data(key_panel_));
    uint16_t* values = bfloat16_data(value_panel_);
    for (int64_t i = 0; i < keys_; ++i) {
      put_column(reinterpret_cast<const uint32_t*>(rows.key(i)), d_ / 2, stride_, columns + i);
    }
    for (int64_t i = 0; i < keys_; i += 2) {
      interleave(rows.value(i), i + 1 < keys_ ? rows.value(i + 1) : zeros_.data(), d_,
                 values + i * d_);
    }
  }

  void compute_scores(const uint16_t* queries, int64_t stride, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      std::copy_n(queries + i * stride, d_, bfloat16_data(queries_) + i * d_);
    }
    multiply_bfloat16(queries_, n, key_panel_, scores_.mutable_data_ptr<float>());
  }

  float softmax(int64_t i, float scale) {
    float* scores = scores_.mutable_data_ptr<float>() + i * stride_;
    const float share = rough_softmax_row(scores, keys_, scale);
    to_bfloat16_row(scores, keys_, bfloat16_data(weights_) + i * stride_);
    return share;
  }

  void sum_values(int64_t n, float* sums) { multiply_bfloat16(weights_, n, value_panel_, sums); }

  static constexpr at::ScalarType kType = at::kBFloat16;

 private:
  int64_t keys_, stride_, d_;
  at::Tensor key_panel_;    // [d / 2, stride, 2]
  at::Tensor value_panel_;  // [stride / 2, d, 2], padded with zeros
  at::Tensor queries_;      // [kQueryRows, d]
  at::Tensor scores_;       // [kQueryRows, stride]
  at::Tensor weights_;      // [kQueryRows, stride], padded with zeros
  std::vector<uint16_t> zeros_;
};

// Products of float32 rows in bfloat16x3 with AMX.
class SplitProducts {
 public:
  SplitProducts(int64_t keys, int64_t d)
      : keys_(keys),
        stride_(round_up(keys, 2 * kLine)),
        d_(d),
        key_panel_(at::zeros({3 * d / 2, stride_, 2}, at::kBFloat16)),
        high_values_(at::zeros({stride_ / 2, d, 2}, at::kBFloat16)),
        low_values_(at::zeros({stride_ / 2, d, 2}, at::kBFloat16)),
        queries_(at::empty({kQueryRows, 3 * d}, at::kBFloat16)),
        scores_(at::empty({kQueryRows, stride_})),
        high_weights_(at::zeros({kQueryRows, stride_}, at::kBFloat16)),
        low_weights_(at::zeros({kQueryRows, stride_}, at::kBFloat16)) {}

  void pack(const HeadRows<float>& rows) {
    // A column has key high, high, low, and a query row has high, low, high: one product of three
    // times the depth computes all three terms.
    auto* columns = reinterpret_cast<uint32_t*>(bfloat16_data(key_panel_));
    const int64_t part = d_ / 2 * stride_;
    SplitRow key(d_);
    for (int64_t i = 0; i < keys_; ++i) {
      key.assign(rows.key(i));
      put_column(key.high_pairs(), d_ / 2, stride_, columns + i);
      put_column(key.high_pairs(), d_ / 2, stride_, columns + part + i);
      put_column(key.low_pairs(), d_ / 2, stride_, columns + 2 * part + i);
    }
    SplitRow even(d_), odd(d_);
    for (int64_t i = 0; i < keys_; i += 2) {
      even.assign(rows.value(i));
      i + 1 < keys_ ? odd.assign(rows.value(i + 1)) : odd.clear();
      interleave(even.high.data(), odd.high.data(), d_, bfloat16_data(high_values_) + i * d_);
      interleave(even.low.data(), odd.low.data(), d_, bfloat16_data(low_values_) + i * d_);
    }
  }

  void compute_scores(const float* queries, int64_t stride, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      uint16_t* row = bfloat16_data(queries_) + i * 3 * d_;
      split_bfloat16_row(queries + i * stride, d_, row, row + d_);
      std::copy_n(row, d_, row + 2 * d_);
    }
    multiply_bfloat16(queries_, n, key_panel_, scores_.mutable_data_ptr<float>());
  }

  float softmax(int64_t i, float scale) {
    float* scores = scores_.mutable_data_ptr<float>() + i * stride_;
    const float share = softmax_row(scores, keys_, scale);
    split_bfloat16_row(scores, keys_, bfloat16_data(high_weights_) + i * stride_,
                       bfloat16_data(low_weights_) + i * stride_);
    return share;
  }

  void sum_values(int64_t n, float* sums) {
    multiply_bfloat16(high_weights_, n, high_values_, sums);
    multiply_bfloat16(low_weights_, n, high_values_, sums, Beta::kOne);
    multiply_bfloat16(high_weights_, n, low_values_, sums, Beta::kOne);
  }

  static constexpr at::ScalarType kType = at::kBFloat16;

 private:
  struct SplitRow {
    explicit SplitRow(int64_t n) : high(n), low(n) {}
    void assign(const float* row) {
      split_bfloat16_row(row, static_cast<int64_t>(high.size()), high.data(), low.data());
    }
    void clear() {
      std::ranges::fill(high, 0);
      std::ranges::fill(low, 0);
    }
    const uint32_t* high_pairs() const { return reinterpret_cast<const uint32_t*>(high.data()); }
    const uint32_t* low_pairs() const { return reinterpret_cast<const uint32_t*>(low.data()); }

    std::vector<uint16_t> high, low;
  };

  int64_t keys_, stride_, d_;
  at::Tensor key_panel_;                   // [3 d / 2, stride, 2]
  at::Tensor high_values_, low_values_;    // [stride / 2, d, 2], padded with zeros
  at::Tensor queries_;                     // [kQueryRows, 3 d]
  at::Tensor scores_;                      // [kQueryRows, stride]
  at::Tensor high_weights_, low_weights_;  // [kQueryRows, stride], padded with zeros
};

}  // namespace tagclip
