#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>

#include "kernels/linear/epilogue.h"
#include "kernels/linear/operand.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// What multiplies.
enum class Product {
  kBlocked,  // blocks of the operands, by oneDNN's brgemm: float32 anywhere, others on AMX
  kOneDnn,   // oneDNN's whole product of prepacked weights: bfloat16 and int8 without AMX
};
// The one for this processor; nothing where it has no instructions for them.
std::optional<Product> product_of(MatrixPrecision precision);

// x W' + b, its weights packed once in the order in which the processor's matrix units read them.
// Safe to use from several threads.
class PackedLinear {
 public:
  // weight [out, in] float; bias [out] float or undefined. Throws Error(kUsage) where the
  // precision does not run here.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias, MatrixPrecision precision);

  // x: M rows of `in`. out [M, out], float or bfloat16 or a sum of those (kAdd: float), rows one
  // behind the other or further apart.
  void operator()(const Rows& x, Finish finish, Rows& out) const;
  void operator()(const Rows& x, Finish finish, at::Tensor& out) const;
  // out += x W' + b. Its rows go through `norm` as soon as they are complete, while they are in the
  // cache.
  void add_and_norm(const Rows& x, at::Tensor& out, const RowNorm& norm, Rows& normed) const;

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  MatrixPrecision precision() const { return precision_; }

 private:
  using RowsDone = std::function<void(Interval)>;  // called once for each row

  void multiply_rows(const Rows& x, Finish finish, Rows& out, const RowsDone& done) const;
  void blocked(const Rows& x, Finish finish, Rows& out, const RowsDone& done) const;
  void whole(const Rows& x, Finish finish, Rows& out, const RowsDone& done) const;

  int64_t in_, out_;
  MatrixPrecision precision_;
  Product product_;
  at::Tensor panels_;  // kBlocked: see pack_panels
  at::Tensor rest_;    // likewise of what these leave of the weights; bfloat16x3 only
  at::Tensor scales_;  // [out] float; int8 only
  at::Tensor bias_;    // [out] float
  at::Tensor packed_;  // kOneDnn
};

}  // namespace tagclip
