#include "text/class_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "text/class_file.h"
#include "text/common_words.h"
#include "text/list_file.h"
#include "text/same_words.h"

namespace tagclip {

std::string_view embedded_imagenet_templates();  // data/imagenet_templates.txt

namespace {

constexpr std::string_view kPlaceholder = "{}";
constexpr const char* kCommon = "common";  // stands for kCommonBackground
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

std::vector<ClassWords> as_classes(std::vector<ListedClass> listed, size_t max_classes) {
  if (listed.size() > max_classes) {
    throw bad_input(fmt::format("{}: more than {} classes", listed[max_classes].where, max_classes),
                    "shorten the list of classes");
  }
  std::vector<ClassWords> classes;
  for (ListedClass& entry : listed) classes.push_back({std::move(entry.words)});
  return classes;
}

bool has_separator(std::string_view text) {
  return text.find_first_of(",;|\n") != text.npos || text.find("\uFF0C") != text.npos ||
         text.find("\u3001") != text.npos || text.find("\uFF1B") != text.npos;
}

bool has_ending(const std::string& text) {
  return text.find('/') != text.npos || std::filesystem::path(text).has_extension();
}

// A word wins over a file of the same name, unless it looks like a path.
bool names_class_file(const std::string& text) { return has_ending(text) && names_file(text); }

bool looks_like_class_file(std::string_view text) {
  if (looks_like_path(text)) return !has_separator(text) || text.ends_with(".txt");
  constexpr std::string_view kEndings[] = {".json", ".yaml", ".yml", ".csv", ".tsv", ".names"};
  return !has_separator(text) &&
         std::ranges::any_of(kEndings, [&](std::string_view end) { return text.ends_with(end); });
}

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
  std::vector<ListedClass> listed;
  for (const ClassWords& entry : classes) {
    const std::string where = fmt::format("{}, class {}", source, listed.size() + 1);
    listed.push_back({{}, where, {}});
    for (const std::string& word : entry.words) {
      listed.back().words.push_back(checked_word(word, where));
    }
  }
  if (listed.empty()) {
    throw bad_input(fmt::format("{}: no class in it", source), "give at least one word");
  }
  return as_classes(std::move(listed), max_classes);
}

std::vector<ClassWords> parse_classes(const std::string& text, size_t max_classes) {
  if (names_class_file(text)) return as_classes(read_class_file(text), max_classes);
  if (looks_like_class_file(text)) throw missing_file(text);
  return as_classes(parse_class_list(text, "list of classes"), max_classes);
}

std::vector<std::string> class_list_remarks(const std::string& text,
                                            const std::vector<ClassWords>& classes) {
  const bool is_file = names_class_file(text);
  if (is_file && classes.size() == 1 && classes[0].words.size() > 1) {
    return {fmt::format(
        "{} lists one class: its {} words are synonyms of each other; a class goes on a line of "
        "its own",
        text, classes[0].words.size())};
  }
  if (is_file || has_ending(text) || !names_file(text)) return {};
  return {
      fmt::format("'{0}' is taken for a word, though there is a file of that name; './{0}' is the "
                  "file",
                  text)};
}

namespace {

std::vector<std::string> background_words(const std::string& text) {
  if (text == kCommon) return {kCommonBackground.begin(), kCommonBackground.end()};
  std::vector<std::string> words;
  for (const ClassWords& entry : parse_classes(text)) {
    words.insert(words.end(), entry.words.begin(), entry.words.end());
  }
  return words;
}

// The class "background" of these words, without those of other classes where the list is `common`.
ClassWords background_beside(std::vector<std::string> words, bool common,
                             const std::vector<ClassWords>& others) {
  ClassWords background{std::move(words), Synonyms::kMax, kBackground};
  const std::unordered_set<std::string> taken = spellings_of(others);
  if (taken.contains(spelling(background.title))) {
    throw bad_input("background: 'background' is a class already",
                    "call the class something else, or add the words to it as synonyms");
  }
  const auto is_taken = [&](const std::string& word) { return taken.contains(spelling(word)); };
  if (std::ranges::all_of(background.words, is_taken)) {
    throw bad_input(
        fmt::format("background: '{}' {}", background.words.front(),
                    background.words.size() == 1 ? "is a class already"
                                                 : "and its other words are classes already"),
        "a word is either a class or background");
  }
  if (common) std::erase_if(background.words, is_taken);
  return background;
}

}  // namespace

std::unordered_set<std::string> spellings_of(const std::vector<ClassWords>& classes) {
  std::unordered_set<std::string> spellings;
  for (const ClassWords& entry : classes) {
    for (const std::string& word : entry.words) spellings.insert(spelling(word));
  }
  return spellings;
}

void add_background(const std::string& text, std::vector<ClassWords>& classes) {
  classes.push_back(background_beside(background_words(text), text == kCommon, classes));
}

void add_background(const std::vector<std::string>& words, std::vector<ClassWords>& classes) {
  if (words == std::vector<std::string>{kCommon})
    return add_background(std::string(kCommon), classes);
  const ClassWords checked = checked_classes({{words}}, kBackground).front();
  classes.push_back(background_beside(checked.words, /*common=*/false, classes));
}

void replace_background(const std::string& text, std::vector<ClassWords>& classes) {
  const auto own = std::ranges::find_if(classes, [](const ClassWords& entry) {
    return spelling(entry.name()) == spelling(kBackground);
  });
  if (own == classes.end()) {
    throw usage_error("the set has no class called background",
                      "leave `background` out: every pixel is a class's or void");
  }
  std::vector<ClassWords> others = classes;
  others.erase(others.begin() + (own - classes.begin()));
  *own = background_beside(background_words(text), text == kCommon, others);
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
