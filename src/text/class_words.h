#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tagclip/options.h"

namespace tagclip {

// One class as the user names it: the first word, where there is no title of its own, is its name.
struct ClassWords {
  std::vector<std::string> words;
  Synonyms synonyms = Synonyms::kMean;
  std::string title = {};
  const std::string& name() const { return title.empty() ? words.front() : title; }
};

// Reads the class words the user gave.
//  - `text` that names a file: one class per line, `sofa, couch` being synonyms. Empty lines and
//    lines that begin with # are skipped; a UTF-8 byte order mark and CRLF are accepted.
//  - otherwise a comma-separated list, one class per entry. A text that ends in .txt, or holds a
//    slash but no comma, must have been meant as a file: it is an error that there is none.
// Throws Error(kBadInput), with the file and line or the entry: no class at all, an empty entry, a
// duplicate (after trimming and lower-casing, across synonyms too), invalid UTF-8, control
// characters, a word longer than 1,000 bytes; more than `max_classes`.
std::vector<ClassWords> parse_classes(const std::string& text, size_t max_classes = 65534);

// The same checks for classes that come from elsewhere: `source` and the number of the class say
// where in messages.
std::vector<ClassWords> checked_classes(const std::vector<ClassWords>& classes,
                                        const std::string& source, size_t max_classes = 65534);

// Appends the class "background", which the words in `text` stand for, each on its own: walls,
// floors, whatever else a photo may show. Read as above. Throws Error(kBadInput) as above, and
// where a word, or "background", is a class already.
void add_background(const std::string& text, std::vector<ClassWords>& classes);

// Prompt templates: each holds `{}` exactly once, where the word goes.
// "single" = `a photo of a {}`, "multi" = the 15 used for COCO-Stuff and Context, "imagenet" = the
// 80 that CLIP's authors published for ImageNet; a path to a file with one template per line; or a
// template itself. Throws Error(kBadInput) otherwise.
std::vector<std::string> parse_templates(const std::string& text);

// `text` itself, which must hold `{}` exactly once. Throws Error(kBadInput) otherwise; `where` it
// stands begins the message.
std::string checked_template(const std::string& text, const std::string& where);

// The template with `word` in the place of its first `{}`; it must hold one.
std::string fill_template(std::string_view prompt_template, std::string_view word);

}  // namespace tagclip
