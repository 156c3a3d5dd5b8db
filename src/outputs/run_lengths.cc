#include "outputs/run_lengths.h"

#include <algorithm>
#include <array>

namespace tagclip {
namespace {

// A row of bits, the highest of a byte first.
class BitWriter {
 public:
  void write(uint64_t value, int bits) {
    for (int b = bits - 1; b >= 0; --b) {
      if (used_ == 0) bytes_.push_back(0);
      bytes_.back() |= static_cast<uint8_t>((value >> b & 1) << (7 - used_));
      used_ = (used_ + 1) % 8;
    }
  }
  std::vector<uint8_t> bytes() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
  int used_ = 0;  // bits of the last byte
};

}  // namespace

std::vector<uint32_t> column_runs(const RegionMask& mask, int width, int height) {
  std::vector<uint32_t> runs = {0};
  bool inside = false;
  const auto add = [&](bool now, uint32_t count) {
    if (count == 0) return;
    if (now != inside) {
      runs.push_back(0);
      inside = now;
    }
    runs.back() += count;
  };
  const auto columns_before = static_cast<uint32_t>(mask.left);
  const auto columns_after = static_cast<uint32_t>(width - mask.left - mask.width);
  add(false, columns_before * static_cast<uint32_t>(height));
  for (int x = 0; x < mask.width; ++x) {
    add(false, static_cast<uint32_t>(mask.top));
    for (int y = 0; y < mask.height; ++y) {
      add(mask.inside[static_cast<size_t>(y) * mask.width + x] != 0, 1);
    }
    add(false, static_cast<uint32_t>(height - mask.top - mask.height));
  }
  add(false, columns_after * static_cast<uint32_t>(height));
  return runs;
}

std::vector<uint8_t> brush_runs(const RegionMask& mask, int width, int height) {
  // A head (number of values, bits of a value, the four lengths that a count may have in bits),
  // then runs: a bit that says that the value repeats, which length the count has, the count less
  // one, the value.
  constexpr int kChannels = 4, kValueBits = 8;
  constexpr std::array kCountBits = {3, 6, 10, 16};
  BitWriter out;
  const uint64_t pixels = static_cast<uint64_t>(width) * static_cast<uint64_t>(height);
  out.write(pixels * kChannels, 32);
  out.write(kValueBits - 1, 5);
  for (const int bits : kCountBits) out.write(static_cast<uint64_t>(bits - 1), 4);

  bool inside = false;
  uint64_t count = 0;  // values of the run
  const auto flush = [&] {
    while (count > 0) {
      const uint64_t part = std::min(count, uint64_t{1} << kCountBits.back());
      const auto length = static_cast<size_t>(
          std::ranges::find_if(kCountBits, [&](int b) { return part <= uint64_t{1} << b; }) -
          kCountBits.begin());
      out.write(1, 1);
      out.write(length, 2);
      out.write(part - 1, kCountBits[length]);
      out.write(inside ? 255 : 0, kValueBits);
      count -= part;
    }
  };
  const auto add = [&](bool now, uint64_t more) {
    if (more == 0) return;  // else the run would be cut in two
    if (now != inside) {
      flush();
      inside = now;
    }
    count += more * kChannels;
  };
  const auto row = static_cast<uint64_t>(width);
  add(false, row * static_cast<uint64_t>(mask.top));
  for (int y = 0; y < mask.height; ++y) {
    add(false, static_cast<uint64_t>(mask.left));
    for (int x = 0; x < mask.width; ++x) {
      add(mask.inside[static_cast<size_t>(y) * mask.width + x] != 0, 1);
    }
    add(false, static_cast<uint64_t>(width - mask.left - mask.width));
  }
  add(false, row * static_cast<uint64_t>(height - mask.top - mask.height));
  flush();
  return out.bytes();
}

}  // namespace tagclip
