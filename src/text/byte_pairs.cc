#include "text/byte_pairs.h"

#include <functional>
#include <queue>
#include <tuple>

namespace tagclip {
namespace {

constexpr int kNone = -1;

// A token of the word and its living neighbours.
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

void append_byte_pairs(const Merges& merges, std::string_view bytes, int32_t limit,
                       std::vector<int32_t>& ids) {
  Word word(merges, bytes, limit);
  word.merge_all();
  word.append_tokens(ids);
}

}  // namespace tagclip
