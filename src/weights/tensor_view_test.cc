#include "weights/tensor_view.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>

namespace tagclip {
namespace {

// Returns where `bits` is found among 5000 elements when it stands at `place`, one byte off
// alignment.
template <class Bits>
int64_t place_of(DType dtype, Bits bits, int64_t place) {
  std::vector<std::byte> data(1 + 5000 * sizeof bits);
  std::memcpy(&data[1 + place * sizeof bits], &bits, sizeof bits);
  return first_non_finite(dtype, &data[1], 5000);
}

TEST(TensorView, FindsTheFirstNumberThatIsNotFinite) {
  for (const int64_t place : {0, 1, 4095, 4096, 4999}) {
    EXPECT_EQ(place_of<uint64_t>(DType::kF64, 0x7FF8'0000'0000'0000, place), place);
    EXPECT_EQ(place_of<uint32_t>(DType::kF32, 0xFF80'0000, place), place);  // -inf
    EXPECT_EQ(place_of<uint16_t>(DType::kF16, 0x7C01, place), place);       // NaN
    EXPECT_EQ(place_of<uint16_t>(DType::kBF16, 0x7F80, place), place);      // inf
  }
  EXPECT_EQ(place_of<uint64_t>(DType::kF64, 0x7FEF'FFFF'FFFF'FFFF, 7), -1);  // the largest
  EXPECT_EQ(place_of<uint32_t>(DType::kF32, 0x7F7F'FFFF, 7), -1);
  EXPECT_EQ(place_of<uint16_t>(DType::kF16, 0xFBFF, 7), -1);
  EXPECT_EQ(place_of<uint16_t>(DType::kBF16, 0x7F7F, 7), -1);
  EXPECT_EQ(first_non_finite(DType::kF32, nullptr, 0), -1);
}

}  // namespace
}  // namespace tagclip
