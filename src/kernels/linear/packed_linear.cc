#include "kernels/linear/packed_linear.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/error.h"
#include "kernels/linear/brgemm.h"
#include "kernels/linear/epilogue.h"
#include "kernels/linear/onednn.h"
#include "kernels/linear/operand.h"
#include "kernels/linear/simd_rows.h"

namespace tagclip {
namespace {

constexpr int64_t kPanel = 64;      // columns of a block of products: what AMX tiles take at a time
constexpr int64_t kRowBlock = 256;  // rows: with a panel of weights they stay in the second cache
constexpr int64_t kRowsAtOnce = 16;  // of a whole product, when its rows are finished

// Memory for one block's products and, of int8, what they are scaled to.
struct BlockMemory {
  explicit BlockMemory(int64_t rows, bool scaled)
      : sums(at::empty({rows, kPanel})),
        products(scaled ? at::empty({rows, kPanel}, at::kInt) : at::Tensor()) {}

  at::Tensor sums, products;
};

// Counts the panels of each part of the rows that are still to be multiplied.
class Countdown {
 public:
  Countdown(int64_t parts, int64_t panels) : left_(parts) {
    for (std::atomic<int64_t>& left : left_) left = panels;
  }

  // Whether this was the last of the part's panels.
  bool was_last(int64_t part) { return --left_[part] == 0; }

 private:
  std::vector<std::atomic<int64_t>> left_;
};

// Rows begin .. end - 1 of `part` of `parts` equal parts.
Interval share_of(int64_t part, int64_t parts, int64_t rows) {
  return {part * rows / parts, (part + 1) * rows / parts};
}

void write_tile(Finish finish, Tile tile, const float* bias, Rows& out, int64_t row,
                int64_t column) {
  const int64_t stride = out.values.stride(0), begin = row * stride + column;
  if (out.values.scalar_type() == at::kFloat) {
    const TileOutput<float> to{out.values.mutable_data_ptr<float>() + begin, stride};
    return finish_tile(finish, tile, bias, to);
  }
  TAGCLIP_CHECK(finish != Finish::kAdd, "sums are float32");
  uint16_t* high = bfloat16_bits(out.values) + begin;
  if (!out.rest.defined())
    return finish_tile(finish, tile, bias, TileOutput<uint16_t>{high, stride});
  finish_tile(finish, tile, bias, SplitTileOutput{high, bfloat16_bits(out.rest) + begin, stride});
}

}  // namespace

std::optional<Product> product_of(MatrixPrecision precision) {
  if (precision == MatrixPrecision::kFloat32) return Product::kBlocked;
  if (at::native::cpublas::could_pack(operand_type(precision))) return Product::kBlocked;
  return onednn_multiplies(precision) ? std::optional(Product::kOneDnn) : std::nullopt;
}

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias,
                           MatrixPrecision precision)
    : in_(weight.size(1)),
      out_(weight.size(0)),
      precision_((check_runs_here(precision), precision)),
      product_(*product_of(precision)),
      bias_(bias.defined() ? bias.contiguous() : at::zeros({weight.size(0)})) {
  Rows rows = empty_rows(out_, in_, precision);
  copy_rows(weight.contiguous(), rows);
  scales_ = rows.scales;
  if (product_ == Product::kOneDnn) {
    packed_ = onednn_pack(rows, precision);
    return;
  }
  panels_ = pack_panels(rows.values, kPanel);
  if (rows.rest.defined()) rest_ = pack_panels(rows.rest, kPanel);
}

void PackedLinear::operator()(const Rows& x, Finish finish, Rows& out) const {
  multiply_rows(x, finish, out, {});
}

void PackedLinear::operator()(const Rows& x, Finish finish, at::Tensor& out) const {
  Rows rows{.values = out};
  multiply_rows(x, finish, rows, {});
}

void PackedLinear::add_and_norm(const Rows& x, at::Tensor& out, const RowNorm& norm,
                                Rows& normed) const {
  Rows rows{.values = out};
  multiply_rows(x, Finish::kAdd, rows,
                [&](Interval part) { layer_norm_rows(out, norm, part, normed); });
}

void PackedLinear::multiply_rows(const Rows& x, Finish finish, Rows& out,
                                 const RowsDone& done) const {
  TAGCLIP_CHECK(x.values.scalar_type() == operand_type(precision_) && x.values.size(1) == in_ &&
                    x.rest.defined() == rest_.defined(),
                "rows of another kind than the weights");
  TAGCLIP_CHECK(out.values.size(0) == x.values.size(0) && out.values.size(1) == out_ &&
                    out.values.stride(1) == 1,
                "no place for the results");
  product_ == Product::kBlocked ? blocked(x, finish, out, done) : whole(x, finish, out, done);
}

void PackedLinear::blocked(const Rows& x, Finish finish, Rows& out, const RowsDone& done) const {
  const int64_t rows = x.values.size(0), panels = panels_.size(0);
  const int64_t parts = std::max<int64_t>(1, rows / kRowBlock);
  Countdown countdown(parts, panels);
  at::parallel_for(0, parts * panels, 1, [&](int64_t begin, int64_t end) {
    BlockMemory memory((rows + parts - 1) / parts, precision_ == MatrixPrecision::kInt8);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t panel = task % panels;
      const Interval part = share_of(task / panels, parts, rows);
      const int64_t column = panel * kPanel, columns = std::min(kPanel, out_ - column);
      float* sums = memory.sums.mutable_data_ptr<float>();
      if (precision_ == MatrixPrecision::kInt8) {
        multiply_panel(x.values, part, panels_, panel, Sums::kStore, memory.products);
        scale_products(memory.products.const_data_ptr<int32_t>(), part.size(), columns, kPanel,
                       x.scales.const_data_ptr<float>() + part.begin,
                       scales_.const_data_ptr<float>() + column, sums);
      } else {
        multiply_panel(x.values, part, panels_, panel, Sums::kStore, memory.sums);
      }
      if (rest_.defined()) {  // both rests multiplied are no more than what splitting rounds off
        multiply_panel(x.rest, part, panels_, panel, Sums::kAdd, memory.sums);
        multiply_panel(x.values, part, rest_, panel, Sums::kAdd, memory.sums);
      }
      write_tile(finish, {sums, part.size(), columns, kPanel},
                 bias_.const_data_ptr<float>() + column, out, part.begin, column);
      if (done && countdown.was_last(task / panels)) done(part);
    }
    release_matrix_units(operand_type(precision_));
  });
}

void PackedLinear::whole(const Rows& x, Finish finish, Rows& out, const RowsDone& done) const {
  const at::Tensor products = onednn_product(x, packed_, scales_);  // [M, out]
  at::parallel_for(0, out.values.size(0), kRowsAtOnce, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(out_);
    for (int64_t row = begin; row < end; ++row) {
      if (x.scales.defined()) {
        scaled_row(products.const_data_ptr<float>() + row * out_,
                   x.scales.const_data_ptr<float>()[row], out_, sums.data());
      } else {
        widen_row(bfloat16_bits(products) + row * out_, out_, sums.data());
      }
      write_tile(finish, {sums.data(), 1, out_, out_}, bias_.const_data_ptr<float>(), out, row, 0);
    }
    if (done) done({begin, end});
  });
}

}  // namespace tagclip
