#include "text/class_words.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "text/list_file.h"
#include "text/unicode.h"

namespace tagclip {

std::string_view embedded_imagenet_templates();  // data/imagenet_templates.txt

namespace {

constexpr size_t kMaxWordBytes = 1000;
constexpr std::string_view kPlaceholder = "{}";
constexpr std::string_view kSingleTemplate = "a photo of a {}";
constexpr std::array<std::string_view, 15> kMultiTemplates = {
    "a photo of a {}.",
    "a photo of a small {}.",
    "a photo of a medium {}.",
    "a photo of a large {}.",
    "This is a photo of a {}.",
    "This is a photo of a small {}.",
    "This is a photo of a medium {}.",
    "This is a photo of a large {}.",
    "a {} in the scene.",
    "a photo of a {} in the scene.",
    "There is a {} in the scene.",
    "There is the {} in the scene.",
    "This is a {} in the scene.",
    "This is the {} in the scene.",
    "This is one {} in the scene.",
};

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t start = 0;;) {
    const size_t comma = text.find(',', start);
    parts.push_back(text.substr(start, comma - start));
    if (comma == text.npos) return parts;
    start = comma + 1;
  }
}

// Collects classes and refuses what cannot be one.
class ClassList {
 public:
  ClassList(std::string source, size_t max_classes)
      : source_(std::move(source)), max_classes_(max_classes) {}

  void add(const std::vector<std::string_view>& words, const std::string& where) {
    if (classes_.size() == max_classes_) {
      throw bad_input(fmt::format("{}: more than {} classes", where, max_classes_),
                      "shorten the list of classes");
    }
    ClassWords& added = classes_.emplace_back();
    for (std::string_view word : words) added.words.push_back(checked_word(word, where));
  }

  std::vector<ClassWords> take() {
    if (classes_.empty()) {
      throw bad_input(fmt::format("{}: no class in it", source_), "give at least one word");
    }
    return std::move(classes_);
  }

 private:
  std::string checked_word(std::string_view text, const std::string& where) {
    std::string word = checked_trim(text, where);
    if (word.empty()) {
      throw bad_input(fmt::format("{}: empty word", where), "remove the superfluous comma");
    }
    if (word.size() > kMaxWordBytes) {
      throw bad_input(
          fmt::format("{}: a word of {} bytes, allowed are {}", where, word.size(), kMaxWordBytes),
          "separate the classes by commas, or put one on a line of a file");
    }
    const auto [first, is_new] = first_use_.emplace(lower_case(word), where);
    if (!is_new) {
      throw bad_input(fmt::format("{}: '{}' is already in {}", where, word, first->second),
                      "name every word once");
    }
    return word;
  }

  std::string source_;
  size_t max_classes_;
  std::vector<ClassWords> classes_;
  std::unordered_map<std::string, std::string> first_use_;  // lower-cased word → where it stands
};

std::vector<std::string> read_templates(const std::string& path) {
  std::vector<std::string> templates;
  for (const ListLine& line : read_list_file(path)) {
    templates.push_back(checked_template(line.text, line.where));
  }
  if (templates.empty()) {
    throw bad_input(fmt::format("{}: no template in it", path),
                    "write one template a line, with {} where the word goes");
  }
  return templates;
}

Error missing_file(const std::string& path) {
  return bad_input(fmt::format("{} does not exist, or is a folder", path), "check the path");
}

}  // namespace

std::string checked_template(const std::string& text, const std::string& where) {
  const size_t first = text.find(kPlaceholder);
  if (first == text.npos || text.find(kPlaceholder, first + 1) != text.npos) {
    throw bad_input(fmt::format("{}: '{}' does not hold {{}} exactly once", where, text),
                    "write {} where the word goes, as in 'a photo of a {}'");
  }
  return text;
}

std::vector<ClassWords> checked_classes(const std::vector<ClassWords>& classes,
                                        const std::string& source, size_t max_classes) {
  ClassList list(source, max_classes);
  int number = 0;
  for (const ClassWords& entry : classes) {
    list.add({entry.words.begin(), entry.words.end()},
             fmt::format("{}, class {}", source, ++number));
  }
  return list.take();
}

std::vector<ClassWords> parse_classes(const std::string& text, size_t max_classes) {
  if (names_file(text)) {
    ClassList classes(text, max_classes);
    for (const ListLine& line : read_list_file(text)) {
      classes.add(split_at_commas(line.text), line.where);
    }
    return classes.take();
  }
  if (looks_like_path(text)) throw missing_file(text);

  ClassList classes("list of classes", max_classes);
  const auto entries = split_at_commas(text);
  const bool blank = entries.size() == 1 && checked_trim(text, "list of classes").empty();
  if (blank) return classes.take();
  int number = 0;
  for (std::string_view entry : entries) {
    classes.add({entry}, fmt::format("list of classes, entry {}", ++number));
  }
  return classes.take();
}

void add_background(const std::string& text, std::vector<ClassWords>& classes) {
  ClassWords background{.synonyms = Synonyms::kMax, .title = "background"};
  for (const ClassWords& entry : parse_classes(text)) {
    background.words.insert(background.words.end(), entry.words.begin(), entry.words.end());
  }
  std::unordered_set<std::string> taken = {background.title};
  for (const std::string& word : background.words) taken.insert(lower_case(word));
  for (const ClassWords& entry : classes) {
    for (const std::string& word : entry.words) {
      if (!taken.contains(lower_case(word))) continue;
      throw bad_input(fmt::format("background: '{}' is a class already", word),
                      "a word is either a class or background");
    }
  }
  classes.push_back(std::move(background));
}

std::vector<std::string> parse_templates(const std::string& text) {
  if (text == "single") return {std::string(kSingleTemplate)};
  if (text == "imagenet") {
    const auto lines = split_lines(embedded_imagenet_templates());
    return {lines.begin(), lines.end()};
  }
  if (text == "multi") return {kMultiTemplates.begin(), kMultiTemplates.end()};
  if (names_file(text)) return read_templates(text);
  if (looks_like_path(text) && text.find(kPlaceholder) == text.npos) throw missing_file(text);
  return {checked_template(checked_trim(text, "template"), "template")};
}

std::string fill_template(std::string_view prompt_template, std::string_view word) {
  const size_t position = prompt_template.find(kPlaceholder);
  TAGCLIP_CHECK(position != prompt_template.npos, "a template holds {}");
  std::string prompt(prompt_template.substr(0, position));
  prompt += word;
  prompt += prompt_template.substr(position + kPlaceholder.size());
  return prompt;
}

}  // namespace tagclip
