#include "kernels/linear/dot_products.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tagclip {

#ifdef __x86_64__
namespace {

constexpr int64_t kLanes = 16;         // groups of a register
constexpr int64_t kRows = 6;           // rows of a that are multiplied at a time, and
constexpr int64_t kRegisters = 4;      // registers of b: 24 sums fit the 32 registers
constexpr int kUnsigned = 0x80808080;  // x + 128 for each of four signed bytes, by exclusive or

// True if ONEDNN_MAX_CPU_ISA leaves instructions that came with `isa`, as it tells oneDNN. The
// words are in the order of their age.
bool is_allowed(std::string_view isa) {
  constexpr std::array<std::string_view, 8> kAges = {"SSE41",
                                                     "AVX",
                                                     "AVX2",
                                                     "AVX2_VNNI",
                                                     "AVX2_VNNI_2",
                                                     "AVX512_CORE",
                                                     "AVX512_CORE_VNNI",
                                                     "AVX512_CORE_BF16"};
  const char* most = std::getenv("ONEDNN_MAX_CPU_ISA");
  return most == nullptr ||
         std::ranges::find(kAges, std::string_view(most)) >= std::ranges::find(kAges, isa);
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}

// The numbers that an instruction multiplies together.
inline int group_at(const void* numbers) {
  int group;
  std::memcpy(&group, numbers, sizeof group);
  return group;
}

// The columns of the last of `registers` registers that hold `columns`.
__mmask16 last_columns(int64_t columns, int64_t registers) {
  return static_cast<__mmask16>(0xFFFF >> (registers * kLanes - columns));
}

// Computes `rows` rows and `columns` columns of c, which fill `registers` registers a row.
template <int rows, int registers>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void dot_tile(
    int64_t K, int64_t columns, const ProductOperands<uint16_t, float>& p, const float* /*raised*/,
    bool accumulate) {
  const __mmask16 last = last_columns(columns, registers);
  __m512 sums[rows][registers];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      sums[r][v] = accumulate ? _mm512_maskz_loadu_ps(mask, p.c + r * p.c_stride + v * kLanes)
                              : _mm512_setzero_ps();
    }
  }
  for (int64_t k = 0; k < K; k += 2) {
    __m512bh b[registers];
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      const uint16_t* from = p.b + k * p.b_stride + v * 2 * kLanes;
      b[v] = reinterpret_cast<__m512bh>(_mm512_maskz_loadu_epi32(mask, from));
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const auto a =
          reinterpret_cast<__m512bh>(_mm512_set1_epi32(group_at(p.a + r * p.a_stride + k)));
#pragma GCC unroll 8
      for (int v = 0; v < registers; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], a, b[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      _mm512_mask_storeu_ps(p.c + r * p.c_stride + v * kLanes, mask, sums[r][v]);
    }
  }
}

// The same for int8. `raised` [16 registers] is taken off each row: see raised_sums.
template <int rows, int registers>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) void dot_tile(
    int64_t K, int64_t columns, const ProductOperands<int8_t, int32_t>& p, const int32_t* raised,
    bool accumulate) {
  const __mmask16 last = last_columns(columns, registers);
  const __m512i raise = _mm512_set1_epi32(kUnsigned);
  __m512i sums[rows][registers];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      sums[r][v] = accumulate ? _mm512_maskz_loadu_epi32(mask, p.c + r * p.c_stride + v * kLanes)
                              : _mm512_setzero_si512();
    }
  }
  for (int64_t k = 0; k < K; k += 4) {
    __m512i b[registers];
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      b[v] = _mm512_maskz_loadu_epi32(mask, p.b + k * p.b_stride + v * 4 * kLanes);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const __m512i a =
          _mm512_xor_si512(raise, _mm512_set1_epi32(group_at(p.a + r * p.a_stride + k)));
#pragma GCC unroll 8
      for (int v = 0; v < registers; ++v) sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], a, b[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < registers; ++v) {
      const __mmask16 mask = v + 1 < registers ? 0xFFFF : last;
      _mm512_mask_storeu_epi32(
          p.c + r * p.c_stride + v * kLanes, mask,
          _mm512_sub_epi32(sums[r][v], _mm512_loadu_epi32(raised + v * kLanes)));
    }
  }
}

// The instruction for int8 multiplies unsigned bytes by signed ones: numbers of a are raised by
// 128, which adds 128 times the sum of b's column. Returns these for N <= 64 columns of b.
using RaisedSums = std::array<int32_t, kRegisters * kLanes>;
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) RaisedSums
raised_sums(int64_t N, int64_t K, const int8_t* b, int64_t b_stride) {
  RaisedSums result = {};
  for (int64_t column = 0; column < N; column += kLanes) {
    const __mmask16 mask = last_columns(std::min(kLanes, N - column), 1);
    __m512i sum = _mm512_setzero_si512();
    for (int64_t k = 0; k < K; k += 4) {
      const __m512i numbers = _mm512_maskz_loadu_epi32(mask, b + k * b_stride + 4 * column);
      sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(kUnsigned), numbers);
    }
    _mm512_storeu_epi32(result.data() + column, sum);
  }
  return result;
}

std::array<float, 0> raised_sums(int64_t, int64_t, const uint16_t*, int64_t) { return {}; }

template <typename T, typename Sum>
using Tile = void (*)(int64_t K, int64_t columns, const ProductOperands<T, Sum>& p,
                      const Sum* raised, bool accumulate);

// The tiles of 1 to kRows rows and 1 to kRegisters registers.
template <typename T, typename Sum>
Tile<T, Sum> tile_of(int64_t rows, int64_t registers) {
  static constexpr auto kTiles = []<size_t... i>(std::index_sequence<i...>) {
    return std::array<Tile<T, Sum>, sizeof...(i)>{
        &dot_tile<1 + static_cast<int>(i / kRegisters), 1 + static_cast<int>(i % kRegisters)>...};
  }(std::make_index_sequence<kRows * kRegisters>());
  return kTiles[(rows - 1) * kRegisters + registers - 1];
}

template <typename T, typename Sum>
void multiply_tiles(int64_t M, int64_t N, int64_t K, const ProductOperands<T, Sum>& p,
                    bool accumulate) {
  constexpr int64_t kGroup = 4 / sizeof(T);
  TAGCLIP_CHECK(K % kGroup == 0, "dot products take whole groups of numbers");
  for (int64_t column = 0; column < N; column += kRegisters * kLanes) {
    const int64_t columns = std::min(kRegisters * kLanes, N - column);
    const int64_t registers = (columns + kLanes - 1) / kLanes;
    const auto raised = raised_sums(columns, K, p.b + column * kGroup, p.b_stride);
    for (int64_t row = 0; row < M; row += kRows) {
      const int64_t rows = std::min(kRows, M - row);
      const ProductOperands<T, Sum> tile{p.a + row * p.a_stride,
                                         p.b + column * kGroup,
                                         p.c + row * p.c_stride + column,
                                         p.a_stride,
                                         p.b_stride,
                                         p.c_stride};
      tile_of<T, Sum>(rows, registers)(K, columns, tile, raised.data(), accumulate);
    }
  }
}

}  // namespace

bool has_bfloat16_dot() {
  static const bool has =
      has_avx512() && __builtin_cpu_supports("avx512bf16") != 0 && is_allowed("AVX512_CORE_BF16");
  return has;
}

bool has_int8_dot() {
  static const bool has =
      has_avx512() && __builtin_cpu_supports("avx512vnni") != 0 && is_allowed("AVX512_CORE_VNNI");
  return has;
}

void multiply_by_dot(int64_t M, int64_t N, int64_t K, const ProductOperands<uint16_t, float>& p,
                     bool accumulate) {
  multiply_tiles(M, N, K, p, accumulate);
}

void multiply_by_dot(int64_t M, int64_t N, int64_t K, const ProductOperands<int8_t, int32_t>& p,
                     bool accumulate) {
  multiply_tiles(M, N, K, p, accumulate);
}

#else

bool has_bfloat16_dot() { return false; }
bool has_int8_dot() { return false; }

void multiply_by_dot(int64_t, int64_t, int64_t, const ProductOperands<uint16_t, float>&, bool) {
  TAGCLIP_CHECK(false, "no dot products on this processor");
}
void multiply_by_dot(int64_t, int64_t, int64_t, const ProductOperands<int8_t, int32_t>&, bool) {
  TAGCLIP_CHECK(false, "no dot products on this processor");
}

#endif

}  // namespace tagclip
