#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "kernels/attention/simd_rows.h"
#include "kernels/linear/brgemm.h"
#include "kernels/linear/operand.h"
#include "kernels/linear/simd_rows.h"

namespace tagclip {

// The matrix products of `attention`, of one head at a time: in float32, in bfloat16, and in sums
// of two bfloat16.

inline constexpr int64_t kQueryRows = 32;  // at a time: their scores stay in the second cache

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

inline const float* widened(const float* row, int64_t, std::vector<float>&) { return row; }
inline const float* widened(const uint16_t* row, int64_t n, std::vector<float>& memory) {
  memory.resize(n);
  widen_row(row, n, memory.data());
  return memory.data();
}

inline constexpr int64_t kLine = 16;  // floats of a cache line: where rows begin

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

// c [n, N] = a b or c += a b, of a's [., K] first n rows and a panel b [K / 2, N, 2].
inline void multiply_bfloat16(const at::Tensor& a, int64_t n, const at::Tensor& b, float* c,
                              Beta beta = Beta::kZero) {
  const int64_t N = b.size(1), K = a.size(1);
  multiply(n, N, K,
           ProductOperands<at::BFloat16, float>{a.const_data_ptr<at::BFloat16>(),
                                                b.const_data_ptr<at::BFloat16>(), c, K, N, N},
           beta);
}

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
    multiply_bfloat16(queries_, n, key_panel_, scores_.mutable_data_ptr<float>());
  }

  float weigh(int64_t i, float scale) {
    float* scores = scores_.mutable_data_ptr<float>() + i * stride_;
    const float share = rough_softmax_row(scores, keys_, scale);
    narrow_row(scores, keys_, bfloat16_bits(weights_) + i * stride_);
    return share;
  }

  void gather(int64_t n, float* sums) { multiply_bfloat16(weights_, n, value_panel_, sums); }

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

// Products of float32 numbers as sums of two bfloat16, on AMX: see GemmPrecision.
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
    // Along a column: high, high, low, which meet a query's high, low, high.
    auto* columns = reinterpret_cast<uint32_t*>(bfloat16_bits(key_panel_));
    const int64_t part = d_ / 2 * stride_;
    Halves key(d_);
    for (int64_t i = 0; i < keys_; ++i) {
      key.take(rows.key(i));
      put_column(key.high_pairs(), d_ / 2, stride_, columns + i);
      put_column(key.high_pairs(), d_ / 2, stride_, columns + part + i);
      put_column(key.low_pairs(), d_ / 2, stride_, columns + 2 * part + i);
    }
    Halves even(d_), odd(d_);
    for (int64_t i = 0; i < keys_; i += 2) {
      even.take(rows.value(i));
      i + 1 < keys_ ? odd.take(rows.value(i + 1)) : odd.clear();
      interleave(even.high.data(), odd.high.data(), d_, bfloat16_bits(high_values_) + i * d_);
      interleave(even.low.data(), odd.low.data(), d_, bfloat16_bits(low_values_) + i * d_);
    }
  }

  void score(const float* queries, int64_t stride, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      uint16_t* row = bfloat16_bits(queries_) + i * 3 * d_;
      split_row(queries + i * stride, d_, row, row + d_);
      std::copy_n(row, d_, row + 2 * d_);
    }
    multiply_bfloat16(queries_, n, key_panel_, scores_.mutable_data_ptr<float>());
  }

  float weigh(int64_t i, float scale) {
    float* scores = scores_.mutable_data_ptr<float>() + i * stride_;
    const float share = softmax_row(scores, keys_, scale);
    split_row(scores, keys_, bfloat16_bits(high_weights_) + i * stride_,
              bfloat16_bits(low_weights_) + i * stride_);
    return share;
  }

  void gather(int64_t n, float* sums) {
    multiply_bfloat16(high_weights_, n, high_values_, sums);
    multiply_bfloat16(low_weights_, n, high_values_, sums, Beta::kOne);
    multiply_bfloat16(high_weights_, n, low_values_, sums, Beta::kOne);
  }

  static constexpr at::ScalarType kUnits = at::kBFloat16;

 private:
  struct Halves {
    explicit Halves(int64_t n) : high(n), low(n) {}
    void take(const float* row) {
      split_row(row, static_cast<int64_t>(high.size()), high.data(), low.data());
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
  at::Tensor high_values_, low_values_;    // [stride / 2, d, 2], zeros behind the last
  at::Tensor queries_;                     // [kQueryRows, 3 d]
  at::Tensor scores_;                      // [kQueryRows, stride]
  at::Tensor high_weights_, low_weights_;  // [kQueryRows, stride], zeros behind the last
};

}  // namespace tagclip
