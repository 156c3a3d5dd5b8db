#include "bench/ceiling.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "infer/stopwatch.h"

namespace tagclip {
namespace {

constexpr int kProducts = 20;
constexpr double kSeconds = 1;  // after which no further product is begun

// Of a product of side x side matrices.
double fastest(int64_t side, const std::function<void()>& product) {
  product();  // makes what it keeps
  const double operations = 2 * std::pow(static_cast<double>(side), 3);
  double best = 0, passed = 0;
  for (int i = 0; i < kProducts && passed < kSeconds; ++i) {
    Stopwatch watch;
    product();
    const double seconds = watch.lap();
    best = std::max(best, operations / seconds);
    passed += seconds;
  }
  return best;
}

double of_floats(int64_t side, at::ScalarType type) {
  const at::Tensor a = at::rand({side, side}).to(type), b = at::rand({side, side}).to(type);
  at::Tensor product = at::mm(a, b);
  return fastest(side, [&] { at::mm_out(product, a, b); });
}

// oneDNN's product of bytes with weights it has packed, to float32.
double of_bytes(int64_t side) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  const auto op = [](const char* name) {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  };
  static const auto pack = op("onednn::qlinear_prepack")
                               .typed<at::Tensor(at::Tensor, std::optional<c10::List<int64_t>>)>();
  static const auto multiply =
      op("onednn::qlinear_pointwise")
          .typed<at::Tensor(at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor,
                            std::optional<at::Tensor>, double, int64_t,
                            std::optional<at::ScalarType>, c10::string_view, Scalars,
                            c10::string_view)>();
  const at::Tensor a = at::randint(0, 255, {side, side}, at::kByte);
  const at::Tensor b =
      pack.call(at::randint(-127, 127, {side, side}, at::kChar), c10::List<int64_t>({side, side}));
  const at::Tensor scales = at::ones({side}), zeros = at::zeros({side}, at::kLong);
  return fastest(side, [&] {
    multiply.call(a, 1, 0, b, scales, zeros, {}, 1, 0, at::kFloat, "none", Scalars(), "");
  });
}

}  // namespace

// Small factors fit the cores' own memory, large ones have more to compute a byte: which is faster
// depends on the machine.
Ceilings measure_ceilings(int64_t side) {
  Ceilings best;
  for (const int64_t n : {side / 2, side}) {
    best["float32"] = std::max(best["float32"], of_floats(n, at::kFloat));
    best["bfloat16"] = std::max(best["bfloat16"], of_floats(n, at::kBFloat16));
    if (at::hasMKLDNN()) best["int8"] = std::max(best["int8"], of_bytes(n));
  }
  best["bfloat16x3"] = best["bfloat16"] / 3;  // three products for one
  return best;
}

}  // namespace tagclip
