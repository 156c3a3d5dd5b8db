#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tagclip {

// Holds the merges of CLIP's byte-pair encoding. Tokens are numbered: 256 bytes, 256 bytes that end
// a word, then one per merge in the order of its rank.
class Merges {
 public:
  static constexpr int kByteTokens = 512;
  static constexpr int kCount = 48894;

  // Unpacked at the first call, then shared; safe from several threads.
  static const Merges& clip();

  // The token of a byte, in CLIP's own order of the bytes.
  int32_t byte_token(uint8_t byte, bool ends_word) const {
    return byte_order_[byte] + (ends_word ? 256 : 0);
  }

  // The token that `left` followed by `right` becomes, if they merge.
  std::optional<int32_t> merge(int32_t left, int32_t right) const;

 private:
  // An open hash table from a pair of tokens to the merged one.
  struct Slot {
    uint32_t pair;
    int32_t merged;
  };

  Merges();
  void insert(int32_t left, int32_t right, int32_t merged);
  size_t find(uint32_t pair) const;

  std::array<uint8_t, 256> byte_order_;
  std::vector<Slot> slots_;
};

// Appends the tokens of one word (any bytes, not empty): neighbours merge, the lowest rank first,
// until no merge below token `limit` applies. Time grows as n log n in the bytes of the word.
void append_byte_pairs(const Merges& merges, std::string_view word, int32_t limit,
                       std::vector<int32_t>& ids);

}  // namespace tagclip
