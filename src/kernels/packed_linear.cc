#include "kernels/packed_linear.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/linear_tiles.h"
#include "kernels/matrix_panels.h"
#include "kernels/row_loops.h"
#include "kernels/rows.h"

namespace tagclip {
namespace {

constexpr int64_t kPanel = 64;      // columns of a block of products: what AMX tiles take at a time
constexpr int64_t kRowBlock = 256;  // rows: with a panel of weights they stay in the second cache

// Memory for one block's products and, of int8, what they are scaled to.
struct BlockMemory {
  explicit BlockMemory(int64_t rows, bool scaled)
      : sums(at::empty({rows, kPanel})),
        products(scaled ? at::empty({rows, kPanel}, at::kInt) : at::Tensor()) {}

  at::Tensor sums, products;
};

// Rows begin .. end - 1 of `part` of `parts` equal parts.
Interval share_of(int64_t part, int64_t parts, int64_t rows) {
  return {part * rows / parts, (part + 1) * rows / parts};
}

void finish_tile(Finish finish, Tile tile, const float* bias, at::Tensor& out, int64_t row,
                 int64_t column) {
  const int64_t stride = out.stride(0), begin = row * stride + column;
  if (out.scalar_type() == at::kFloat) {
    const TileOutput<float> to{out.mutable_data_ptr<float>() + begin, stride};
    if (finish == Finish::kAdd) return add_tile(tile, bias, to);
    return finish == Finish::kStore ? store_tile(tile, bias, to) : store_quick_gelu(tile, bias, to);
  }
  TAGCLIP_CHECK(finish != Finish::kAdd, "sums are float32");
  const TileOutput<uint16_t> to{bfloat16_bits(out) + begin, stride};
  return finish == Finish::kStore ? store_tile(tile, bias, to) : store_quick_gelu(tile, bias, to);
}

// oneDNN's own layout of weights, and its product with them.
at::Tensor reorder_weight(const at::Tensor& weight) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                             .typed<at::Tensor(const at::Tensor&, std::optional<int64_t>)>();
  return op.call(weight, std::nullopt);
}

// Whether oneDNN takes bfloat16, and by instructions: without them it is slower than float32.
bool onednn_is_quick() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx512bf16")) return false;
#endif
  static const bool takes_it = [] {
    try {
      reorder_weight(at::zeros({16, 16}, at::kBFloat16));
      return true;
    } catch (const c10::Error&) {
      return false;
    }
  }();
  return takes_it;
}

at::Tensor product_with(const at::Tensor& x, const at::Tensor& packed) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  return op.call(x, packed, std::nullopt, "none", Scalars(), "");
}

}  // namespace

std::optional<Product> product_of(MatrixPrecision precision) {
  if (precision == MatrixPrecision::kFloat32) return Product::kBlocked;
  if (at::native::cpublas::could_pack(operand_type(precision))) return Product::kBlocked;
  return precision == MatrixPrecision::kBfloat16 && onednn_is_quick()
             ? std::optional(Product::kOneDnn)
             : std::nullopt;
}

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias,
                           MatrixPrecision precision)
    : in_(weight.size(1)),
      out_(weight.size(0)),
      precision_((check_runs_here(precision), precision)),
      product_(*product_of(precision)),
      bias_(bias.defined() ? bias.contiguous() : at::zeros({weight.size(0)})) {
  if (product_ == Product::kOneDnn) {
    packed_ = reorder_weight(weight.to(at::kBFloat16).contiguous());
    return;
  }
  Rows rows = empty_rows(out_, in_, precision);
  copy_rows(weight.contiguous(), rows);
  panels_ = pack_panels(rows.values, kPanel);
  scales_ = rows.scales;
}

void PackedLinear::operator()(const Rows& x, Finish finish, at::Tensor& out) const {
  TAGCLIP_CHECK(x.values.scalar_type() == operand_type(precision_) && x.values.size(1) == in_,
                "rows of another kind than the weights");
  TAGCLIP_CHECK(out.size(0) == x.values.size(0) && out.size(1) == out_ && out.stride(1) == 1,
                "no place for the results");
  product_ == Product::kBlocked ? blocked(x, finish, out) : whole(x, finish, out);
}

void PackedLinear::blocked(const Rows& x, Finish finish, at::Tensor& out) const {
  const int64_t rows = x.values.size(0), panels = panels_.size(0);
  const int64_t parts = std::max<int64_t>(1, rows / kRowBlock);
  at::parallel_for(0, parts * panels, 1, [&](int64_t begin, int64_t end) {
    BlockMemory memory((rows + parts - 1) / parts, precision_ == MatrixPrecision::kInt8);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t panel = task % panels;
      const Interval part = share_of(task / panels, parts, rows);
      multiply_panel(x.values, part, panels_, panel,
                     memory.products.defined() ? memory.products : memory.sums);
      const int64_t column = panel * kPanel, columns = std::min(kPanel, out_ - column);
      float* sums = memory.sums.mutable_data_ptr<float>();
      if (memory.products.defined()) {
        scale_products(memory.products.const_data_ptr<int32_t>(), part.size(), columns, kPanel,
                       x.scales.const_data_ptr<float>() + part.begin,
                       scales_.const_data_ptr<float>() + column, sums);
      }
      finish_tile(finish, {sums, part.size(), columns, kPanel},
                  bias_.const_data_ptr<float>() + column, out, part.begin, column);
    }
    release_matrix_units(operand_type(precision_));
  });
}

void PackedLinear::whole(const Rows& x, Finish finish, at::Tensor& out) const {
  const at::Tensor products = product_with(x.values, packed_);  // [M, out] bfloat16
  at::parallel_for(0, out.size(0), 16, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(out_);
    for (int64_t row = begin; row < end; ++row) {
      widen_row(bfloat16_bits(products) + row * out_, out_, sums.data());
      finish_tile(finish, {sums.data(), 1, out_, out_}, bias_.const_data_ptr<float>(), out, row, 0);
    }
  });
}

}  // namespace tagclip
