#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "kernels/linear/epilogue.h"
#include "kernels/linear/operand.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// x W' + b for inference on CPUs. The weights are packed once, in the order in which the backend of
// the precision reads them. Safe to use from several threads.
class PackedLinear {
 public:
  // weight [out, in] float; bias [out] float, or undefined for none. Throws Error(kUsage) where the
  // precision does not run here.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias, GemmPrecision precision);

  // x [M, in]. out [M, out]: float, bfloat16 or, as a GemmOperand, high + low; kAccumulate needs
  // float. Its rows may lie apart.
  void operator()(const GemmOperand& x, Epilogue epilogue, GemmOperand& out) const;
  void operator()(const GemmOperand& x, Epilogue epilogue, at::Tensor& out) const;
  // out += x W' + b, then normed = norm(out). Rows are normalised as soon as they are complete,
  // while they are in the cache.
  void add_and_norm(const GemmOperand& x, at::Tensor& out, const RowNorm& norm,
                    GemmOperand& normed) const;

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  GemmPrecision precision() const { return precision_; }

 private:
  using RowsDone = std::function<void(Interval)>;  // called once for every row

  void multiply_rows(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                     const RowsDone& done) const;
  void multiply_blocks(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                       const RowsDone& done) const;
  void multiply_whole(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                      const RowsDone& done) const;

  int64_t in_, out_;
  GemmPrecision precision_;
  GemmBackend backend_;
  at::Tensor panels_;  // kBlocks: see pack_panels
  at::Tensor low_;     // kBlocks: the panels of the low parts; bfloat16x3 only
  at::Tensor packed_;  // kMatmul: see onednn_pack
  at::Tensor scales_;  // [out] float; int8 only
  at::Tensor bias_;    // [out] float
};

}  // namespace tagclip
