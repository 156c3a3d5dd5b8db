#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/class_words.h"

namespace tagclip {

class Tokenizer;

// A text as CLIP's tokenizer cuts it: texts of equal spelling have the same token ids in every
// vocabulary. Letter case, kinds and runs of white space and typographic quotes make no difference.
// Throws Error(kBadInput) for invalid UTF-8.
std::string spelling(std::string_view text);

// Classes that a text tower can tell apart.
struct DistinctClasses {
  std::vector<ClassWords> classes;
  std::vector<size_t> origin;        // per class: its index among those that were given
  std::vector<std::string> remarks;  // a sentence for each word that was left out
};

// Compares words by the ids of their texts in all templates, `context` ids each: words that are cut
// to the same ids are the same, too. A word that comes twice belongs to the first class that has
// it, and a class without a word of its own is one class with the one that has its first word.
// Throws as Tokenizer::encode.
DistinctClasses distinct_classes(const std::vector<ClassWords>& classes,
                                 const std::vector<std::string>& templates,
                                 const Tokenizer& tokenizer, int context);

}  // namespace tagclip
