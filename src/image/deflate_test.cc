#include "image/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace tagclip {
namespace {

// zlib, which every reader of PNGs uses or equals, gets the bytes back.
void expect_round_trip(const std::vector<uint8_t>& bytes) {
  const std::vector<std::byte> compressed = zlib_compress(bytes);
  std::vector<uint8_t> back(bytes.size() + 1);
  uLongf size = back.size();
  ASSERT_EQ(::uncompress(back.data(), &size, reinterpret_cast<const Bytef*>(compressed.data()),
                         compressed.size()),
            Z_OK);
  back.resize(size);
  EXPECT_EQ(back, bytes);
}

TEST(ZlibCompress, IsReadByZlib) {
  std::mt19937 random(1);
  expect_round_trip({});
  expect_round_trip({7});
  expect_round_trip(std::vector<uint8_t>(1'000'000, 3));
  std::vector<uint8_t> noise(300'000), steps(300'000);
  for (uint8_t& value : noise) value = static_cast<uint8_t>(random());
  for (size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<uint8_t>(i / 100 + random() % 3);
  expect_round_trip(noise);
  expect_round_trip(steps);
  EXPECT_LT(zlib_compress(steps).size(), steps.size() / 2);
  EXPECT_LT(zlib_compress(std::vector<uint8_t>(1'000'000, 3)).size(), 10'000U);
}

}  // namespace
}  // namespace tagclip
