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

// Encodes texts by CLIP's byte-level byte-pair encoding (spec section 1), as simple_tokenizer of
// OpenAI does. The merges are compiled in. Immutable; safe to use from several threads.
class Tokenizer {
 public:
  static constexpr int kContext = 77;
  static constexpr int kFullVocabulary = 49408;
  static constexpr int kAllBytes = 514;         // no merge, and every text can be spelt
  static constexpr int kLeastVocabulary = 258;  // room for each byte once, and the special tokens

  // `vocabulary` counts 512 byte tokens + merges + 2 special tokens. A smaller one uses the first
  // merges only; below kAllBytes some texts cannot be spelt. Throws Error(kBadInput) outside
  // [kLeastVocabulary, kFullVocabulary].
  explicit Tokenizer(int vocabulary = kFullVocabulary);

  int vocabulary() const { return vocabulary_; }
  int start_token() const { return vocabulary() - 2; }
  int end_token() const { return vocabulary() - 1; }

  // The ids of a text without start and end token. Throws Error(kBadInput): invalid UTF-8 (names
  // the byte), a text that a vocabulary below kAllBytes cannot spell.
  std::vector<int32_t> encode(std::string_view text) const;

  // Start token, ids, end token, padded with zeros or cut to `context` ids (at least 2).
  TokenizedText tokenize(std::string_view text, int context = kContext) const;

 private:
  void check_spelling(std::string_view word, const std::vector<int32_t>& ids) const;

  int vocabulary_;
  const Merges* merges_;  // shared by all tokenizers
};

}  // namespace tagclip
