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

void write_tile(Epilogue epilogue, Tile tile, const float* bias, GemmOperand& out, int64_t row,
                int64_t column) {
  const int64_t stride = out.values.stride(0), begin = row * stride + column;
  if (out.values.scalar_type() == at::kFloat) {
    const TileOutput<float> to{out.values.mutable_data_ptr<float>() + begin, stride};
    return apply_epilogue(epilogue, tile, bias, to);
  }
  TAGCLIP_CHECK(epilogue != Epilogue::kAccumulate, "sums are float32");
  uint16_t* high = bfloat16_bits(out.values) + begin;
  if (!out.low.defined())
    return apply_epilogue(epilogue, tile, bias, TileOutput<uint16_t>{high, stride});
  apply_epilogue(epilogue, tile, bias,
                 SplitTileOutput{high, bfloat16_bits(out.low) + begin, stride});
}

}  // namespace

std::optional<GemmBackend> gemm_backend(GemmPrecision precision) {
  if (precision == GemmPrecision::kFloat32) return GemmBackend::kBrgemm;
  if (at::native::cpublas::could_pack(operand_type(precision))) return GemmBackend::kBrgemm;
  return onednn_multiplies(precision) ? std::optional(GemmBackend::kMatmul) : std::nullopt;
}

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias,
                           GemmPrecision precision)
    : in_(weight.size(1)),
      out_(weight.size(0)),
      precision_((check_runs_here(precision), precision)),
      backend_(*gemm_backend(precision)),
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
                "rows of another kind than the weights");
  TAGCLIP_CHECK(out.values.size(0) == x.values.size(0) && out.values.size(1) == out_ &&
                    out.values.stride(1) == 1,
                "no place for the results");
  backend_ == GemmBackend::kBrgemm ? blocked(x, epilogue, out, done)
                                   : whole(x, epilogue, out, done);
}

void PackedLinear::blocked(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                           const RowsDone& done) const {
  const int64_t rows = x.values.size(0), panels = panels_.size(0);
  const int64_t parts = std::max<int64_t>(1, rows / kRowBlock);
  Countdown countdown(parts, panels);
  at::parallel_for(0, parts * panels, 1, [&](int64_t begin, int64_t end) {
    BlockMemory memory((rows + parts - 1) / parts, precision_ == GemmPrecision::kInt8);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t panel = task % panels;
      const Interval part = share_of(task / panels, parts, rows);
      const int64_t column = panel * kPanel, columns = std::min(kPanel, out_ - column);
      float* sums = memory.sums.mutable_data_ptr<float>();
      if (precision_ == GemmPrecision::kInt8) {
        multiply_panel(x.values, part, panels_, panel, Beta::kZero, memory.products);
        scale_products(memory.products.const_data_ptr<int32_t>(), part.size(), columns, kPanel,
                       x.scales.const_data_ptr<float>() + part.begin,
                       scales_.const_data_ptr<float>() + column, sums);
      } else {
        multiply_panel(x.values, part, panels_, panel, Beta::kZero, memory.sums);
      }
      if (low_.defined()) {  // both rests multiplied are no more than what splitting rounds off
        multiply_panel(x.low, part, panels_, panel, Beta::kOne, memory.sums);
        multiply_panel(x.values, part, low_, panel, Beta::kOne, memory.sums);
      }
      write_tile(epilogue, {sums, part.size(), columns, kPanel},
                 bias_.const_data_ptr<float>() + column, out, part.begin, column);
      if (done && countdown.was_last(task / panels)) done(part);
    }
    release_matrix_units(operand_type(precision_));
  });
}

void PackedLinear::whole(const GemmOperand& x, Epilogue epilogue, GemmOperand& out,
                         const RowsDone& done) const {
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
      write_tile(epilogue, {sums.data(), 1, out_, out_}, bias_.const_data_ptr<float>(), out, row,
                 0);
    }
    if (done) done({begin, end});
  });
}

}  // namespace tagclip
