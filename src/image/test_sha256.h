#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace tagclip {

// SHA-256 (FIPS 180-4) for comparing with recorded digests. Tests only.
class Sha256 {
 public:
  // The digest in lower-case hexadecimal.
  static std::string hex(std::span<const uint8_t> data) {
    Sha256 hash;
    std::vector<uint8_t> padded(data.begin(), data.end());
    padded.push_back(0x80);
    while (padded.size() % 64 != 56) padded.push_back(0);
    const uint64_t bits = data.size() * 8;
    for (int shift = 56; shift >= 0; shift -= 8)
      padded.push_back(static_cast<uint8_t>(bits >> shift));
    for (size_t at = 0; at < padded.size(); at += 64) hash.add_block(&padded[at]);
    std::string text;
    char word[9];
    for (const uint32_t part : hash.state_) {
      std::snprintf(word, sizeof word, "%08x", part);
      text += word;
    }
    return text;
  }

 private:
  // The standard defines its constants as fractional bits of roots of the first primes.
  template <size_t kCount>
  static std::array<uint32_t, kCount> root_bits(long double (*root)(long double)) {
    std::array<uint32_t, kCount> bits{};
    size_t found = 0;
    for (int candidate = 2; found < kCount; ++candidate) {
      bool prime = true;
      for (int d = 2; d * d <= candidate; ++d) prime = prime && candidate % d != 0;
      if (!prime) continue;
      const long double value = root(candidate);
      bits[found++] = static_cast<uint32_t>((value - std::floor(value)) * 0x1p32L);
    }
    return bits;
  }

  void add_block(const uint8_t* block) {
    static const auto kConstants =
        root_bits<64>([](long double x) -> long double { return std::cbrt(x); });
    std::array<uint32_t, 64> w{};
    for (size_t i = 0; i < 16; ++i) {
      const uint8_t* p = block + i * 4;
      w[i] = uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
    }
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state_;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                          ((e & f) ^ (~e & g)) + kConstants[i] + w[i];
      const uint32_t t2 =
          (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<uint32_t, 8> added{a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state_[i] += added[i];
  }

  std::array<uint32_t, 8> state_ =
      root_bits<8>([](long double x) -> long double { return std::sqrt(x); });
};

}  // namespace tagclip
