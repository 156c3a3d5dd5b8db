#include "text/same_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

using Ids = std::vector<int32_t>;

// Tells what a text tower can know of a word.
class SeenIds {
 public:
  SeenIds(const std::vector<std::string>& templates, const Tokenizer& tokenizer, int context)
      : templates_(templates), tokenizer_(tokenizer), context_(context) {
    for (const std::string& text : templates) {
      longest_ = std::max(longest_, tokenizer.encode(fill_template(text, "")).size());
    }
  }

  // Returns the word's ids, or if its texts may be too long, theirs: they tell where texts are cut.
  Ids operator()(const std::string& word) const {
    constexpr size_t kAroundText = 2;
    Ids ids = tokenizer_.encode(word);
    if (ids.size() + longest_ + kAroundText < static_cast<size_t>(context_)) return ids;
    if (templates_.empty()) return tokenizer_.tokenize(word, context_).ids;
    Ids all;
    for (const std::string& text : templates_) {
      const Ids own = tokenizer_.tokenize(fill_template(text, word), context_).ids;
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

 private:
  const std::vector<std::string>& templates_;
  const Tokenizer& tokenizer_;
  const int context_;
  size_t longest_ = 0;  // ids of a template around its word
};

struct FirstUse {
  size_t given;  // index of its class among those given
  std::string word;
};

std::string title_of(const ClassWords& entry, size_t number) {
  if (!entry.title.empty()) return entry.title;
  return fmt::format("class {}", number + 1);
}

std::string remark(const ClassWords& entry, size_t number, const std::string& word,
                   const FirstUse& first, bool one_class) {
  const std::string both =
      fmt::format("{} of {} and {} of class {} are the same to CLIP", in_quotes(word),
                  title_of(entry, number), in_quotes(first.word), first.given + 1);
  if (one_class) return both + ": they are one class";
  if (first.given == number) return both + ": the word counts once";
  return fmt::format("{}: the word belongs to class {} alone", both, first.given + 1);
}

}  // namespace

std::string spelling(std::string_view text) {
  const std::string clean = clean_text(text);
  std::string words;
  for (const std::string_view word : split_words(clean)) words.append(word).push_back('\0');
  return words;
}

DistinctClasses distinct_classes(const std::vector<ClassWords>& classes,
                                 const std::vector<std::string>& templates,
                                 const Tokenizer& tokenizer, int context) {
  const SeenIds seen_ids(templates, tokenizer, context);
  std::map<Ids, FirstUse> first_uses;
  DistinctClasses result;
  for (size_t c = 0; c < classes.size(); ++c) {
    ClassWords own = classes[c];
    own.words.clear();
    std::vector<std::pair<std::string, FirstUse>> taken;
    for (const std::string& word : classes[c].words) {
      const auto [first, is_new] = first_uses.try_emplace(seen_ids(word), FirstUse{c, word});
      if (is_new) {
        own.words.push_back(word);
      } else {
        taken.emplace_back(word, first->second);
      }
    }
    for (const auto& [word, first] : taken) {
      result.remarks.push_back(remark(classes[c], c, word, first, own.words.empty()));
    }
    if (own.words.empty()) continue;
    result.classes.push_back(std::move(own));
    result.origin.push_back(c);
  }
  return result;
}

}  // namespace tagclip
