#include "kernels/linear/packed_linear.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/error.h"
#include "kernels/common/bfloat16.h"
#include "kernels/linear/block_products.h"
#include "kernels/linear/onednn.h"

namespace tagclip {
namespace {

constexpr int64_t kPanel = 64;  // columns of a block of products: what AMX multiplies at a time
constexpr int64_t kRowBlock =
    256;  // rows of a block: with a panel of weights they fit the L2 cache
constexpr int64_t kRowsPerTask = 16;  // when the epilogue is applied to a whole product

// The products of one block; for int8 as integers first.
struct BlockMemory {
  BlockMemory(int64_t rows, bool int8)
      : products(at::empty({rows, kPanel})),
        integers(int8 ? at::empty({rows, kPanel}, at::kInt) : at::Tensor()) {}

  at::Tensor products, integers;
};

// Counts the panels of each part of the rows that are still to be multiplied.
class Countdown {
 public:
  Countdown(int64_t parts, int64_t panels) : left_(parts) {
    for (std::atomic<int64_t>& left : left_) left = panels;
  }

  // True if this was the last of the part's panels.
  bool was_last(int64_t part) { return --left_[part] == 0; }

 private:
  std::vector<std::atomic<int64_t>> left_;
};

// Part number `part` of `rows` rows in `parts` equal parts.
Interval part_of(int64_t part, int64_t parts, int64_t rows) {
  return {part * rows / parts, (part + 1) * rows / parts};
}

// Applies the epilogue to a block of products that lies at (row, column) of `out`.
void write_block(Epilogue epilogue, ProductBlock block, const float* bias, GemmOperand& out,
                 int64_t row, int64_t column) {
  const int64_t stride = out.values.stride(0), begin = row * stride + column;
  if (out.values.scalar_type() == at::kFloat) {
    const BlockOutput<float> to{out.values.mutable_data_ptr<float>() + begin, stride};
    return apply_epilogue(epilogue, block, bias, to);
  }
  TAGCLIP_CHECK(epilogue != Epilogue::kAccumulate,
                "PackedLinear: kAccumulate needs a float output");
  uint16_t* high = bfloat16_data(out.values) + begin;
  if (!out.low.defined()) {
    return apply_epilogue(epilogue, block, bias, BlockOutput<uint16_t>{high, stride});
  }
  apply_epilogue(epilogue, block, bias,
                 SplitBlockOutput{high, bfloat16_data(out.low) + begin, stride});
}

}  // namespace

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias,
                           GemmPrecision precision)
    : in_(weight.size(1)),
      out_(weight.size(0)),
      precision_((check_runs_here(precision), precision)),
      backend_(*gemm_support(precision).backend),
      bias_(bias.defined() ? bias.contiguous() : at::zeros({weight.size(0)})) {
  GemmOperand rows = empty_operand(out_, in_, precision);
  copy_to_operand(weight.contiguous(), rows);
  scales_ = rows.scales;
  if (backend_ == GemmBackend::kMatmul) {
    packed_ = onednn_pack(rows, precision);
    return;
  }
  panels_ = pack_panels(rows.values, kPanel);
  if (rows.low.defined()) low_ = pack_panels(rows.low, kPanel);
}

void PackedLinear::operator()(const GemmOperand& x, Epilogue epilogue, GemmOperand& out) const {
  multiply_rows(x, epilogue, out, {});
}

void PackedLinear::operator()(const GemmOperand& x, Epilogue epilogue, at::Tensor& out) const {
  GemmOperand rows{.values = out};
  multiply_rows(x, epilogue, rows, {});
}

void PackedLinear::add_and_norm(const GemmOperand& x, at::Tensor& out, const RowNorm& norm,
                                GemmOperand& normed) const {
  GemmOperand rows{.values = out};
  multiply_rows(x, Epilogue::kAccumulate, rows,
                [&](Interval part) { layer_norm_rows(out, norm, part, normed); });
}

void PackedLinear::multiply_rows(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                                 const RowsDone& done) const {
  TAGCLIP_CHECK(x.values.scalar_type() == operand_type(precision_) && x.values.size(1) == in_ &&
                    x.low.defined() == low_.defined(),
                "PackedLinear: x must be [M, in] in the precision of the weights");
  TAGCLIP_CHECK(out.values.size(0) == x.values.size(0) && out.values.size(1) == out_ &&
                    out.values.stride(1) == 1,
                "PackedLinear: out must be [M, out] with contiguous rows");
  backend_ == GemmBackend::kBlocks ? multiply_blocks(x, epilogue, out, done)
                                   : multiply_whole(x, epilogue, out, done);
}

void PackedLinear::multiply_blocks(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                                   const RowsDone& done) const {
  const int64_t rows = x.values.size(0), panels = panels_.size(0);
  const int64_t parts = std::max<int64_t>(1, rows / kRowBlock);
  const bool int8 = precision_ == GemmPrecision::kInt8;
  Countdown countdown(parts, panels);
  at::parallel_for(0, parts * panels, 1, [&](int64_t begin, int64_t end) {
    BlockMemory memory((rows + parts - 1) / parts, int8);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t panel = task % panels;
      const Interval part = part_of(task / panels, parts, rows);
      const int64_t column = panel * kPanel, columns = std::min(kPanel, out_ - column);
      float* products = memory.products.mutable_data_ptr<float>();
      if (int8) {
        multiply_panel(x.values, part, panels_, panel, Beta::kZero, memory.integers);
        scale_products(memory.integers.const_data_ptr<int32_t>(), part.size(), columns, kPanel,
                       x.scales.const_data_ptr<float>() + part.begin,
                       scales_.const_data_ptr<float>() + column, products);
      } else {
        multiply_panel(x.values, part, panels_, panel, Beta::kZero, memory.products);
      }
      if (low_.defined()) {  // low times low is below what splitting rounds off
        multiply_panel(x.low, part, panels_, panel, Beta::kOne, memory.products);
        multiply_panel(x.values, part, low_, panel, Beta::kOne, memory.products);
      }
      write_block(epilogue, {products, part.size(), columns, kPanel},
                  bias_.const_data_ptr<float>() + column, out, part.begin, column);
      if (done && countdown.was_last(task / panels)) done(part);
    }
    release_block_products(operand_type(precision_));
  });
}

void PackedLinear::multiply_whole(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                                  const RowsDone& done) const {
  const at::Tensor products = onednn_product(x, packed_, scales_);  // [M, out]
  at::parallel_for(0, out.values.size(0), kRowsPerTask, [&](int64_t begin, int64_t end) {
    std::vector<float> row_products(out_);
    for (int64_t row = begin; row < end; ++row) {
      if (x.scales.defined()) {
        scale_row(products.const_data_ptr<float>() + row * out_,
                  x.scales.const_data_ptr<float>()[row], out_, row_products.data());
      } else {
        from_bfloat16_row(bfloat16_data(products) + row * out_, out_, row_products.data());
      }
      write_block(epilogue, {row_products.data(), 1, out_, out_}, bias_.const_data_ptr<float>(),
                  out, row, 0);
    }
    if (done) done({begin, end});
  });
}

}  // namespace tagclip
