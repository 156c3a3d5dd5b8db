#include "weights/mmseg_meta.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace tagclip {
namespace {

// Returns the position of `name = ` at the start of a line of Python.
size_t line_of(std::string_view config, const std::string& name) {
  const std::string start = name + " = ";
  return config.starts_with(start) ? 0 : config.find("\n" + start);
}

// The whole numbers of `name = [0, 1, 2]` at the start of a line of Python; nothing where there is
// no such line, or its list holds anything else.
std::optional<std::vector<int64_t>> list_in(std::string_view config, const std::string& name) {
  const std::string start = name + " = [";
  size_t at = config.starts_with(start) ? 0 : config.find("\n" + start);
  if (at == std::string_view::npos) return {};
  at = config.find('[', at) + 1;
  const size_t end = config.find(']', at);
  if (end == std::string_view::npos) return {};
  std::vector<int64_t> numbers;
  while (at < end) {
    at = config.find_first_not_of(" ,\n\t\r", at);
    if (at >= end) break;
    int64_t number = 0;
    const auto [rest, error] = std::from_chars(config.data() + at, config.data() + end, number);
    if (error != std::errc()) return {};
    numbers.push_back(number);
    at = rest - config.data();
  }
  return numbers;
}

// The text in quotes that a line of Python gives to `name`, wherever it stands and however the line
// is broken; empty where there is none.
std::string text_in(std::string_view config, const std::string& name) {
  size_t at = config.find(name);
  if (at == std::string_view::npos) return {};
  at = config.find_first_not_of(" =\n\t\r", at + name.size());
  if (at == std::string_view::npos || (config[at] != '\'' && config[at] != '"')) return {};
  const size_t end = config.find(config[at], at + 1);
  return end == std::string_view::npos ? "" : std::string(config.substr(at + 1, end - at - 1));
}

// Returns the prompt that a path names: "configs/.../coco_multi.npy" -> "multi".
std::string prompt_of(const std::string& text_embedding) {
  const std::string name = text_embedding.substr(text_embedding.rfind('/') + 1);
  for (const char* prompt : {"single", "multi"}) {
    if (name.find(prompt) != std::string::npos) return prompt;
  }
  return {};
}

std::vector<std::string> class_names(const PickleValue& meta) {
  std::vector<std::string> names;
  const PickleValue* classes = meta.find("CLASSES");
  const PickleItems* items = classes ? classes->items() : nullptr;
  if (items == nullptr) return names;
  for (const PickleValue* item : *items) {
    if (item->text() == nullptr) return {};
    names.push_back(*item->text());
  }
  return names;
}

}  // namespace

StoredClasses read_mmseg_meta(const PickleValue& checkpoint, const std::string& source) {
  StoredClasses classes;
  const PickleValue* meta = checkpoint.find("meta");
  if (meta == nullptr) return classes;
  classes.names = class_names(*meta);
  const PickleValue* config = meta->find("config");
  const std::string text = config && config->text() ? *config->text() : "";
  const auto base = list_in(text, "base_class");
  if (!base && line_of(text, "base_class") != text.npos) return {};
  classes.inductive = text.find("self_training = True") == text.npos &&
                      text.find("self_training=True") == text.npos;
  classes.prompt = prompt_of(text_in(text, "load_text_embedding"));
  const size_t count = classes.names.size();
  classes.seen.assign(count, !base.has_value());
  for (const int64_t index : base.value_or(std::vector<int64_t>())) {
    if (count == 0) break;
    if (index < 0 || index >= static_cast<int64_t>(count)) {
      throw bad_input(
          fmt::format("{}: meta.config: base_class names class {}, but there are {} CLASSES",
                      source, index, count));
    }
    classes.seen[index] = true;
  }
  return classes;
}

}  // namespace tagclip
