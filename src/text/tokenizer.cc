#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "text/byte_pairs.h"
#include "text/pre_tokenizer.h"

namespace tagclip {
namespace {

constexpr int kSpecialTokens = 2;
static_assert(Tokenizer::kAllBytes == Merges::kByteTokens + kSpecialTokens);
static_assert(Tokenizer::kAllBytes + Merges::kCount == Tokenizer::kFullVocabulary);

}  // namespace

Tokenizer::Tokenizer(int vocabulary) : vocabulary_(vocabulary), merges_(&Merges::clip()) {
  if (vocabulary < Tokenizer::kLeastVocabulary || vocabulary > kFullVocabulary) {
    throw bad_input(fmt::format("a tokenizer of {} tokens was asked for, possible are {} to {}",
                                vocabulary, Tokenizer::kLeastVocabulary, kFullVocabulary),
                    "use weights of a CLIP whose vocabulary has this size");
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  const std::string clean = clean_text(text);
  std::vector<int32_t> ids;
  for (std::string_view word : split_words(clean)) {
    if (word == "<|startoftext|>") {
      ids.push_back(start_token());
    } else if (word == "<|endoftext|>") {
      ids.push_back(end_token());
    } else {
      std::vector<int32_t> own;
      append_byte_pairs(*merges_, word, start_token(), own);
      check_spelling(word, own);
      ids.insert(ids.end(), own.begin(), own.end());
    }
  }
  return ids;
}

void Tokenizer::check_spelling(std::string_view word, const std::vector<int32_t>& ids) const {
  const auto known = [&](int32_t id) { return id < start_token(); };
  if (vocabulary_ >= kAllBytes || std::ranges::all_of(ids, known)) return;
  throw bad_input(
      fmt::format("'{}' cannot be spelt in a vocabulary of {} tokens", word, vocabulary_),
      "use other words, or a CLIP with a full vocabulary");
}

TokenizedText Tokenizer::tokenize(std::string_view text, int context) const {
  TAGCLIP_CHECK(context >= kSpecialTokens, "a context holds at least the start and the end token");
  const size_t size = static_cast<size_t>(context);
  TokenizedText out;
  out.ids = encode(text);
  out.ids.insert(out.ids.begin(), start_token());
  out.ids.push_back(end_token());
  out.truncated = out.ids.size() > size;
  out.ids.resize(size, 0);
  if (out.truncated) out.ids.back() = end_token();
  return out;
}

}  // namespace tagclip
