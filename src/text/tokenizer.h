#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

class Merges;

// A text as the text tower takes it.
struct TokenizedText {
  std::vector<int32_t> ids;  // [context]: start, text, end, then zeros
  bool truncated = false;    // the text was longer; the last id is the end token all the same
};

// CLIP's byte-level byte-pair encoding (spec section 1), identical to OpenAI's simple_tokenizer.
// The merges are compiled into the program. Immutable; safe to use from several threads.
class Tokenizer {
 public:
  static constexpr int kContext = 77;
  static constexpr int kFullVocabulary = 49408;
  static constexpr int kLeastVocabulary = 514;

  // `vocabulary` = 512 byte tokens + merges + 2 special tokens. A smaller one uses the first merges
  // only. Throws Error(kBadInput) outside [514, 49408].
  explicit Tokenizer(int vocabulary = kFullVocabulary);

  int vocabulary() const { return vocabulary_; }
  int start_token() const { return vocabulary() - 2; }
  int end_token() const { return vocabulary() - 1; }

  // The ids of a text without start and end token. Invalid UTF-8 throws Error(kBadInput) naming the
  // byte.
  std::vector<int32_t> encode(std::string_view text) const;

  // Start token, ids, end token, padded with zeros or cut to `context` ids (at least 2).
  TokenizedText tokenize(std::string_view text, int context = kContext) const;

 private:
  int vocabulary_;
  const Merges* merges_;  // shared by all tokenizers
};

}  // namespace tagclip
