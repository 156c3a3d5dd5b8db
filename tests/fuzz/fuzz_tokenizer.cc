// Any bytes as a text: refused, or cleaned and tokenized.
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

void check_words(std::string_view clean) {
  size_t covered = 0;
  for (std::string_view word : split_words(clean)) {
    TAGCLIP_CHECK(!word.empty(), "an empty word");
    covered += word.size();
  }
  TAGCLIP_CHECK(covered <= clean.size(), "words overlap");
}

void check_tokens(const Tokenizer& tokenizer, std::string_view text) {
  const TokenizedText tokens = tokenizer.tokenize(text);
  TAGCLIP_CHECK(tokens.ids.size() == Tokenizer::kContext, "not the context's length");
  TAGCLIP_CHECK(tokens.ids.front() == tokenizer.start_token(), "no start token");
  bool ended = false;
  for (int32_t id : tokens.ids) {
    TAGCLIP_CHECK(id >= 0 && id < tokenizer.vocabulary(), "an id outside the vocabulary");
    ended = ended || id == tokenizer.end_token();
  }
  TAGCLIP_CHECK(ended, "no end token");
}

void check_text(std::string_view text) {
  const std::string clean = clean_text(text);
  TAGCLIP_CHECK(!find_invalid_utf8(clean), "cleaned to invalid UTF-8");
  check_words(clean);
  static const Tokenizer full, small(8514);
  check_tokens(full, text);
  check_tokens(small, text);
}

}  // namespace
}  // namespace tagclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool valid = !tagclip::find_invalid_utf8(text);
  try {
    tagclip::check_text(text);
    TAGCLIP_CHECK(valid, "invalid UTF-8 was accepted");
  } catch (const tagclip::Error&) {
    TAGCLIP_CHECK(!valid, "a valid text was refused");
  }
  return 0;
}
