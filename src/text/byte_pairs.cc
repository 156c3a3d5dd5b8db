#include "text/byte_pairs.h"

#include <zlib.h>

#include <functional>
#include <queue>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {

std::string_view embedded_merges_gz();  // data/bpe_simple_vocab_16e6.txt.gz

namespace {

constexpr size_t kSlotBits = 17;  // at most 37% full
constexpr uint32_t kNoPair = 0xffffffff;
constexpr size_t kMergesTextBytes = 530'000;  // CLIP uses the first fifth of the file
constexpr std::string_view kWordEnd = "</w>";

// Returns the first `size` bytes of a gzip stream.
std::string inflate_prefix(std::string_view gzip, size_t size) {
  std::string text(size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(size);
  TAGCLIP_CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib cannot start");
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  inflateEnd(&stream);
  TAGCLIP_CHECK(status == Z_OK && stream.avail_out == 0, "the embedded merges are damaged");
  return text;
}

std::string_view take_until(std::string_view& text, char delimiter) {
  const size_t end = text.find(delimiter);
  TAGCLIP_CHECK(end != text.npos, "the embedded merges are damaged");
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end + 1);
  return taken;
}

bool is_printable_latin1(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// The merges file spells a byte as a visible character: printable ones of Latin-1 as themselves,
// the others as U+0100 and up. CLIP numbers the printable bytes first.
struct ByteAlphabet {
  std::array<uint8_t, 256> order;
  std::array<std::string, 256> spelling;
};

ByteAlphabet byte_alphabet() {
  ByteAlphabet alphabet;
  int next = 0;
  auto add = [&](int byte, char32_t character) {
    alphabet.order[byte] = static_cast<uint8_t>(next++);
    append_utf8(character, alphabet.spelling[byte]);
  };
  for (int byte = 0; byte < 256; ++byte) {
    if (is_printable_latin1(byte)) add(byte, byte);
  }
  for (int byte = 0, character = 0x100; byte < 256; ++byte) {
    if (!is_printable_latin1(byte)) add(byte, character++);
  }
  return alphabet;
}

// A token fits 16 bits: there are 49,406.
uint32_t as_pair(int32_t left, int32_t right) {
  return static_cast<uint32_t>(left) << 16 | static_cast<uint32_t>(right);
}

constexpr int kNone = -1;

// Links a token of the word to its living neighbours.
struct Node {
  int32_t token;
  int previous;
  int next;
};

// Two neighbours that can become `merged`. Ordered by rank, then from left to right.
struct Candidate {
  int32_t merged;
  int position;  // of the left one
  int32_t left, right;
  friend bool operator>(const Candidate& a, const Candidate& b) {
    return std::tie(a.merged, a.position) > std::tie(b.merged, b.position);
  }
};

class Word {
 public:
  Word(const Merges& merges, std::string_view bytes, int32_t limit)
      : merges_(merges), limit_(limit) {
    const int size = static_cast<int>(bytes.size());
    nodes_.reserve(size);
    for (int i = 0; i < size; ++i) {
      const bool last = i + 1 == size;
      nodes_.push_back({merges.byte_token(bytes[i], last), i - 1, last ? kNone : i + 1});
    }
    for (int i = 0; i < size; ++i) consider(i);
  }

  void merge_all() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      if (is_current(best)) merge(best);
    }
  }

  void append_tokens(std::vector<int32_t>& ids) const {
    for (int i = 0; i != kNone; i = nodes_[i].next) ids.push_back(nodes_[i].token);
  }

 private:
  void consider(int position) {
    if (position == kNone || nodes_[position].next == kNone) return;
    const int32_t left = nodes_[position].token;
    const int32_t right = nodes_[nodes_[position].next].token;
    const auto merged = merges_.merge(left, right);
    if (merged && *merged < limit_) candidates_.push({*merged, position, left, right});
  }

  // An earlier merge may have changed either side; a node swallowed by its left neighbour has no
  // token.
  bool is_current(const Candidate& candidate) const {
    const Node& left = nodes_[candidate.position];
    return left.token == candidate.left && left.next != kNone &&
           nodes_[left.next].token == candidate.right;
  }

  void merge(const Candidate& candidate) {
    Node& left = nodes_[candidate.position];
    Node& right = nodes_[left.next];
    left.token = candidate.merged;
    left.next = right.next;
    right.token = kNone;
    if (left.next != kNone) nodes_[left.next].previous = candidate.position;
    consider(left.previous);
    consider(candidate.position);
  }

  const Merges& merges_;
  int32_t limit_;
  std::vector<Node> nodes_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

const Merges& Merges::clip() {
  static const Merges merges;
  return merges;
}

Merges::Merges() : slots_(size_t{1} << kSlotBits, Slot{kNoPair, 0}) {
  const ByteAlphabet alphabet = byte_alphabet();
  byte_order_ = alphabet.order;

  std::string spellings;  // of all tokens; never grows, so that views into it stay valid
  spellings.reserve(kMergesTextBytes);
  std::unordered_map<std::string_view, int32_t> ids;
  ids.reserve(kByteTokens + kCount);
  auto add_token = [&](std::string_view first, std::string_view second, int32_t id) {
    TAGCLIP_CHECK(spellings.size() + first.size() + second.size() <= kMergesTextBytes,
                  "spellings move");
    const size_t start = spellings.size();
    spellings.append(first).append(second);
    ids.emplace(std::string_view(spellings).substr(start), id);
  };
  for (int byte = 0; byte < 256; ++byte) {
    add_token(alphabet.spelling[byte], "", byte_order_[byte]);
    add_token(alphabet.spelling[byte], kWordEnd, byte_order_[byte] + 256);
  }

  const std::string text = inflate_prefix(embedded_merges_gz(), kMergesTextBytes);
  std::string_view rest = text;
  take_until(rest, '\n');  // the version line
  for (int32_t rank = 0; rank < kCount; ++rank) {
    const std::string_view left = take_until(rest, ' ');
    const std::string_view right = take_until(rest, '\n');
    add_token(left, right, kByteTokens + rank);
    insert(ids.at(left), ids.at(right), kByteTokens + rank);
  }
}

size_t Merges::find(uint32_t pair) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = (pair * uint32_t{0x9E3779B1}) >> (32 - kSlotBits);
  while (slots_[slot].pair != pair && slots_[slot].pair != kNoPair) slot = (slot + 1) & mask;
  return slot;
}

void Merges::insert(int32_t left, int32_t right, int32_t merged) {
  const uint32_t pair = as_pair(left, right);
  slots_[find(pair)] = {pair, merged};
}

std::optional<int32_t> Merges::merge(int32_t left, int32_t right) const {
  const uint32_t pair = as_pair(left, right);
  const Slot& slot = slots_[find(pair)];
  if (slot.pair == kNoPair) return std::nullopt;
  return slot.merged;
}

void append_byte_pairs(const Merges& merges, std::string_view bytes, int32_t limit,
                       std::vector<int32_t>& ids) {
  Word word(merges, bytes, limit);
  word.merge_all();
  word.append_tokens(ids);
}

}  // namespace tagclip
