#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>

#include "kernels/linear/epilogue.h"
#include "kernels/linear/operand.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// What multiplies.
enum class GemmBackend {
  kBrgemm,  // blocks of the operands, by oneDNN's brgemm: float32 anywhere, others on AMX
  kMatmul,  // oneDNN's whole product of prepacked weights: bfloat16 and int8 without AMX
};
// The one for this processor; nothing where it has no instructions for them.
std::optional<GemmBackend> gemm_backend(GemmPrecision precision);

// x W' + b, its weights packed once in the order in which the processor's matrix units read them.
// Safe to use from several threads.
class PackedLinear {
 public:
  // weight [out, in] float; bias [out] float or undefined. Throws Error(kUsage) where the
  // precision does not run here.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias, GemmPrecision precision);

  // x: M rows of `in`. out [M, out], float or bfloat16 or a sum of those (kAccumulate: float), rows
  // one behind the other or further apart.
  void operator()(const GemmOperand& x, Epilogue epilogue, GemmOperand& out) const;
  void operator()(const GemmOperand& x, Epilogue epilogue, at::Tensor& out) const;
  // out += x W' + b. Its rows go through `norm` as soon as they are complete, while they are in the
  // cache.
  void add_and_norm(const GemmOperand& x, at::Tensor& out, const RowNorm& norm,
                    GemmOperand& normed) const;

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  GemmPrecision precision() const { return precision_; }

 private:
  using RowsDone = std::function<void(Interval)>;  // called once for each row

  void multiply_rows(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                     const RowsDone& done) const;
  void blocked(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
               const RowsDone& done) const;
  void whole(const GemmOperand& x, Epilogue epilogue, GemmOperand& out, const RowsDone& done) const;

  int64_t in_, out_;
  GemmPrecision precision_;
  GemmBackend backend_;
  at::Tensor panels_;  // kBrgemm: see pack_panels
  at::Tensor low_;     // likewise of what these leave of the weights; bfloat16x3 only
  at::Tensor scales_;  // [out] float; int8 only
  at::Tensor bias_;    // [out] float
  at::Tensor packed_;  // kMatmul
};

}  // namespace tagclip
