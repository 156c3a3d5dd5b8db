#include "bench/ceiling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "infer/stage_times.h"
#include "kernels/linear/onednn.h"

namespace tagclip::bench {
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
  const at::Tensor a = at::randint(0, 255, {side, side}, at::kByte), scales = at::ones({side});
  const at::Tensor b = onednn_pack_int8(at::randint(-127, 127, {side, side}, at::kChar));
  return fastest(side, [&] { onednn_multiply_bytes(a, 0, b, scales); });
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

}  // namespace tagclip::bench
