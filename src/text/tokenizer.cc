#include "text/tokenizer.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/byte_pairs.h"
#include "text/clean.h"
#include "text/merges.h"
#include "text/word_pattern.h"

namespace tagclip {
namespace {

constexpr int kSpecialTokens = 2;
static_assert(Tokenizer::kLeastVocabulary == Merges::kByteTokens + kSpecialTokens);
static_assert(Tokenizer::kLeastVocabulary + Merges::kCount == Tokenizer::kFullVocabulary);

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
      append_byte_pairs(*merges_, word, start_token(), ids);
    }
  }
  return ids;
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
