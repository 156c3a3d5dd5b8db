#include "train/run_state.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/text.h"

namespace tagclip {
namespace {

using nlohmann::json;

// "optimizer.lr was 0.001, is 0.002; batch was 8, is 16"; empty when none differs.
std::string differences(const json& before, const StoredSettings& settings) {
  const json defaults = json::parse(to_json(settings.defaults));
  std::string text;
  const json now = json::parse(to_json(settings.now));
  for (const auto& [name, value] : now.items()) {
    const json old = before.value(name, defaults.at(name));
    if (old == value) continue;
    text += c10::str(text.empty() ? "" : "; ", name, " was ", old.dump(), ", is ", value.dump());
  }
  return text;
}

const std::string& stored_text(const Checkpoint& checkpoint, const std::string& key) {
  static const std::string kNothing;
  const auto found = checkpoint.metadata.find(key);
  return found == checkpoint.metadata.end() ? kNothing : found->second;
}

template <class Number>
Number stored(const Checkpoint& checkpoint, const std::string& key) {
  const std::string& text = stored_text(checkpoint, key);
  if (const auto number = parse_number<Number>(text)) return *number;
  throw bad_input(c10::str(checkpoint.path.string(), ": expected a number under ", key,
                           ", found \"", text, "\""),
                  "choose another output folder, or remove the file");
}

}  // namespace

ConstFieldList binding(const ConstFieldList& settings, const std::set<std::string>& free) {
  return settings.where([&](const Field& field) { return !free.contains(field.name); });
}

void check_settings(const Checkpoint& checkpoint, const StoredSettings& settings) {
  const json before = parse_bounded_json(stored_text(checkpoint, settings.key)).value_or(json());
  if (!before.is_object()) {
    throw bad_input(checkpoint.path.string() + " does not say with which settings it was made",
                    "choose another output folder, or remove the file to start anew");
  }
  const std::string different = differences(before, settings);
  if (different.empty()) return;
  throw bad_input(
      checkpoint.path.string() + " belongs to a run with other settings: " + different,
      "set them back to go on with it, or choose another output folder: --set output=FOLDER");
}

std::map<std::string, at::Tensor> run_state(const std::vector<Parameter>& parameters,
                                            const AdamW& optimizer) {
  std::map<std::string, at::Tensor> tensors = optimizer.state();
  for (const Parameter& parameter : parameters) tensors[parameter.name] = parameter.tensor;
  return tensors;
}

void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
             AdamW& optimizer) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : parameters) {
    const at::Tensor& value = checkpoint.state.at(parameter.name);
    if (value.sizes() != parameter.tensor.sizes()) {
      throw bad_input(c10::str(checkpoint.path.string(), ": ", parameter.name, " is ",
                               value.sizes(), ", expected ", parameter.tensor.sizes()));
    }
    at::Tensor(parameter.tensor).copy_(value);
  }
  optimizer.load_state(checkpoint.state.tensors);
}

int64_t stored_count(const Checkpoint& checkpoint, const std::string& key) {
  return stored<int64_t>(checkpoint, key);
}

double stored_number(const Checkpoint& checkpoint, const std::string& key) {
  return stored<double>(checkpoint, key);
}

std::string exact(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

}  // namespace tagclip
