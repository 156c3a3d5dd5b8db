#include "serve/label_studio/predict_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/text.h"
#include "text/class_words.h"
#include "text/same_words.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr size_t kMaxTasks = 10'000;
// Annotations may be large, and are not looked at.
const JsonBounds kBounds{.values = 500'000,
                         .left_out = {"annotations", "predictions", "drafts", "rle", "annotation"}};

json read_object(const std::string& body) {
  std::optional<json> value = parse_json_within(kBounds, body);
  if (!value || !value->is_object()) {
    throw bad_input("the body is no JSON object, or one of too many values",
                    "send what Label Studio sends, as application/json");
  }
  return std::move(*value);
}

// A member that is a text; nothing where there is none.
std::optional<std::string> text_member(const json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

const json& member_of(const json& object, const char* name) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

std::string name_of_task(const json& task, size_t index) {
  const json& id = member_of(task, "id");
  if (id.is_number_integer()) return fmt::format("task {}", id.get<int64_t>());
  return fmt::format("task at place {}", index + 1);
}

bool is_background(const std::string& word) { return spelling(word) == spelling(kBackground); }

// Texts that a person typed into the prompt, of the context that comes with a request.
std::string typed_prompt(const json& body, const std::string& prompt) {
  std::string text;
  const json& context = member_of(member_of(body, "params"), "context");
  for (const json& result : member_of(context, "result")) {
    if (prompt.empty() || text_member(result, "from_name") != prompt) continue;
    const json& typed = member_of(member_of(result, "value"), "text");
    for (const json& line : typed.is_array() ? typed : json::array({typed})) {
      if (line.is_string()) text.append(",").append(line.get_ref<const std::string&>());
    }
  }
  return text;
}

// The words of a prompt, with commas, semicolons or line breaks between them, each once.
Words words_of_prompt(std::string_view text) {
  Words words;
  for (std::string& word : words_between(text, ",;\n")) {
    if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

// The label that a word of a prompt names.
std::optional<size_t> label_named(const LabellingConfig& config, const std::string& word) {
  const std::string wanted = spelling(word);
  for (size_t i = 0; i < config.labels.size(); ++i) {
    const ConfigLabel& label = config.labels[i];
    const auto is_it = [&](const std::string& name) { return spelling(name) == wanted; };
    if (is_it(label.name) || std::ranges::any_of(label.words, is_it)) return i;
  }
  return {};
}

std::vector<WantedClass> classes_of_prompt(const LabellingConfig& config, const Words& words) {
  std::vector<WantedClass> classes;
  for (const std::string& word : words) {
    const std::optional<size_t> named = label_named(config, word);
    if (is_background(named ? config.labels[*named].words.front() : word)) continue;
    const bool twice = named && std::ranges::any_of(classes, [&](const WantedClass& other) {
                         return !other.is_prompted && other.label == *named;
                       });
    if (twice) continue;
    classes.push_back(named ? WantedClass{config.labels[*named].words, *named}
                            : WantedClass{{word}, 0, /*is_prompted=*/true});
  }
  return classes;
}

std::vector<WantedClass> classes_of_labels(const LabellingConfig& config) {
  std::vector<WantedClass> classes;
  for (size_t i = 0; i < config.labels.size(); ++i) {
    const Words& words = config.labels[i].words;
    if (!is_background(words.front())) classes.push_back({words, i});
  }
  return classes;
}

void check_limits(const std::vector<WantedClass>& classes, const RequestLimits& limits) {
  size_t words = 0;
  for (const WantedClass& entry : classes) {
    words += entry.words.size();
    for (const std::string& word : entry.words) {
      if (word.size() <= limits.word_bytes) continue;
      throw RefusedRequest(
          413, "too_large",
          fmt::format("a word of {} bytes, more than {}", word.size(), limits.word_bytes));
    }
  }
  if (words <= limits.classes) return;
  throw RefusedRequest(413, "too_large", fmt::format("more than {} words", limits.classes));
}

PredictTask task_of(const json& task, size_t index, const LabellingConfig& config,
                    const std::string& typed, const RequestLimits& limits) {
  PredictTask result{.name = name_of_task(task, index), .background = {"common"}};
  try {
    const json& data = member_of(task, "data");
    const std::optional<std::string> picture = text_member(data, config.image_key);
    if (!picture) {
      throw bad_input(fmt::format("its data has no text {}, which the Image {} shows",
                                  in_quotes(config.image_key), in_quotes(config.image)));
    }
    result.picture = *picture;
    std::string prompt = typed;
    if (words_of_prompt(prompt).empty() && config.prompt_text.starts_with('$')) {
      prompt = text_member(data, config.prompt_text.substr(1)).value_or("");
    } else if (words_of_prompt(prompt).empty()) {
      prompt = config.prompt_text;
    }
    const Words words = words_of_prompt(prompt);
    result.classes = words.empty() ? classes_of_labels(config) : classes_of_prompt(config, words);
    if (result.classes.empty()) {
      throw bad_input("background is the only label", "name what is to be found, too");
    }
    check_limits(result.classes, limits);
  } catch (const RefusedRequest&) {
    throw;
  } catch (const Error& error) {
    result.fault = error;
  }
  return result;
}

}  // namespace

PredictRequest read_predict_request(const std::string& body, const RequestLimits& limits) {
  const json object = read_object(body);
  const json& tasks = member_of(object, "tasks");
  const std::optional<std::string> config = text_member(object, "label_config");
  if (!tasks.is_array() || tasks.empty()) throw bad_input("tasks: expected a list of tasks");
  if (!config) throw bad_input("label_config: expected the labelling interface as a text");
  if (tasks.size() > kMaxTasks) {
    throw RefusedRequest(413, "too_large", fmt::format("more than {} tasks", kMaxTasks),
                         "ask for them in several requests");
  }
  PredictRequest request{.config = parse_labelling_config(*config)};
  const std::string typed = typed_prompt(object, request.config.prompt);
  for (size_t i = 0; i < tasks.size(); ++i) {
    request.tasks.push_back(task_of(tasks[i], i, request.config, typed, limits));
  }
  return request;
}

LabellingConfig read_labelling_config(const std::string& body, const char* member) {
  const std::optional<std::string> config = text_member(read_object(body), member);
  if (!config) {
    throw bad_input(fmt::format("{}: expected the labelling interface as a text", member));
  }
  return parse_labelling_config(*config);
}

std::string read_webhook_action(const std::string& body) {
  const std::optional<std::string> action = text_member(read_object(body), "action");
  if (!action) throw bad_input("action: expected the kind of event as a text");
  return *action;
}

}  // namespace tagclip
