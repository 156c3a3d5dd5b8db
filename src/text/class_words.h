#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tagclip/options.h"

namespace tagclip {

// One class as the user names it: the first word, where there is no title of its own, is its name.
struct ClassWords {
  std::vector<std::string> words;
  Synonyms synonyms = Synonyms::kAuto;
  std::string title = {};
  const std::string& name() const { return title.empty() ? words.front() : title; }
  bool operator==(const ClassWords&) const = default;
};

// Reads the class words the user gave.
//  - `text` that names a file and looks like one (it has an ending or a slash): a class file, see
//    class_file.h. A text that looks like one but names none is an error.
//  - otherwise a list, one class per entry: "cat, sofa", or JSON.
// Throws Error(kBadInput), with the file and line or the entry: no class at all, an empty entry,
// invalid UTF-8, control characters, a word longer than 1,000 bytes; more than `max_classes`.
// Words that come twice are left in: see same_words.h.
std::vector<ClassWords> parse_classes(const std::string& text, size_t max_classes = 65534);

// What the user should be told of how parse_classes made `classes` of `text`: a word that is the
// name of a file, too; a file whose words are all synonyms of one class.
std::vector<std::string> class_list_remarks(const std::string& text,
                                            const std::vector<ClassWords>& classes);

// The same checks for classes that come from elsewhere: `source` and the number of the class say
// where in messages.
std::vector<ClassWords> checked_classes(const std::vector<ClassWords>& classes,
                                        const std::string& source, size_t max_classes = 65534);

// The spellings of all words; see spelling() in same_words.h.
std::unordered_set<std::string> spellings_of(const std::vector<ClassWords>& classes);

inline constexpr const char* kBackground = "background";

// Appends the class "background", which the words in `text` stand for, each on its own: walls,
// floors, whatever else a photo may show; "common" is kCommonBackground. Read as above. Throws
// Error(kBadInput) as above, and where "background", or each of the words, is a class already.
void add_background(const std::string& text, std::vector<ClassWords>& classes);
// The same for words that are not read from a text: {"common"} is the list.
void add_background(const std::vector<std::string>& words, std::vector<ClassWords>& classes);

// Gives the class that is called background these words instead of its own. Throws as
// add_background, and Error(kUsage) where there is no such class.
void replace_background(const std::string& text, std::vector<ClassWords>& classes);

// Reads prompt templates: each holds `{}` exactly once, where the word goes.
// "single" = `a photo of a {}`, "multi" = the 15 used for COCO-Stuff and Context, "imagenet" = the
// 80 that CLIP's authors published for ImageNet; a path to a file with one template per line; or a
// template itself. Throws Error(kBadInput) otherwise.
std::vector<std::string> parse_templates(const std::string& text);

// `text` itself, which must hold `{}` exactly once. Throws Error(kBadInput) otherwise; `where` it
// stands begins the message.
std::string checked_template(const std::string& text, const std::string& where);

// Returns the template with `word` in the place of its first `{}`; it must hold one.
std::string fill_template(std::string_view prompt_template, std::string_view word);

}  // namespace tagclip
