#include "cli/setting_options.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"

namespace tagclip {
namespace {

std::string long_name(std::string_view setting) {
  std::string name = "--" + std::string(setting);
  std::ranges::replace(name, '_', '-');
  return name;
}

// Returns both names of the option, or the long one alone.
std::string option_names(const std::string& setting) {
  static const std::map<std::string, std::string> kShort = {{"classes", "-c"}};
  const auto found = kShort.find(setting);
  return (found == kShort.end() ? "" : found->second + ",") + long_name(setting);
}

// Sets the field, and words its refusal as one of the option.
void set_option(FieldList& fields, const std::string& name, const std::string& text) {
  try {
    fields.set_from_text(name, text);
  } catch (const Error& error) {
    std::string what = error.what();
    if (what.starts_with(name + ": ")) what.replace(0, name.size(), long_name(name));
    throw usage_error(what);
  }
}

void add_field(OptionList& list, const std::shared_ptr<FieldList>& fields, const Field& field) {
  const std::string names = option_names(field.name);
  const std::string& name = field.name;
  if (field.get() == FieldValue(false)) {
    list.add_option(names, Target([fields, name] { fields->set(name, true); }), field.help);
    return;
  }
  const Target target([fields, name](const std::string& text) { set_option(*fields, name, text); });
  Option* option = list.add_option(names, target, field.help);
  if (field.type == FieldType::kTexts) {
    option->type_name("TEXT,...");  // without any by default, so far
  } else {
    option->show_default(plain_text(field.get()));
  }
  if (field.type == FieldType::kChoice) option->check(one_of(field.choices));
  if (field.type == FieldType::kBool) option->check(one_of({"true", "false"}));
  if (field.type == FieldType::kText) option->check(not_empty());
  if (field.type == FieldType::kInteger) option->type_name("N");
  if (field.type == FieldType::kNumber) option->type_name("X");
  if (field.type == FieldType::kNumbers) option->type_name("X,...");
}

}  // namespace

void add_fields(OptionList& list, const FieldList& fields) {
  const auto shared = std::make_shared<FieldList>(fields);
  for (const Field& field : shared->all()) add_field(list, shared, field);
}

void add_weights_option(OptionList& list, std::filesystem::path& weights) {
  list.add_option(
          "-w,--weights", weights,
          "Model: a file or folder in any dialect, or everyday or mini, which ship; without it "
          "ViT-B-16 where `tagclip fetch` has brought it, else everyday")
      ->type_name("FILE")
      ->check(not_empty());
}

void read_words_from_stdin(VocabularyOptions& options, bool taken) {
  for (std::string* words : {&options.classes, &options.background}) {
    if (*words != "-") continue;
    if (std::exchange(taken, true)) {
      throw usage_error("- is standard input, which can be only one thing",
                        "give the photos by name, or the words in a file");
    }
    *words = "/dev/stdin";
  }
}

std::function<std::string(std::string_view)> option_wording(const OptionList& list) {
  std::set<std::string> names;
  for (const Option& option : list.all()) names.insert(option.long_name());
  return [names = std::move(names)](std::string_view message) {
    std::string result;
    while (true) {
      const size_t open = message.find('`');
      const size_t close = open == message.npos ? open : message.find('`', open + 1);
      if (close == message.npos) return result.append(message);
      const std::string option = long_name(message.substr(open + 1, close - open - 1));
      const bool is_option = names.contains(option);
      result.append(message.substr(0, open));
      result.append(is_option ? option : message.substr(open, close - open));
      // The second backtick of what is no option may be the first one of an option.
      message.remove_prefix(is_option ? close + 1 : close);
    }
  };
}

}  // namespace tagclip
