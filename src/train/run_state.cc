#include "train/run_state.h"

#include <c10/util/StringUtil.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "clip/clip_file.h"
#include "io/bounded_json.h"

namespace tagclip {
namespace {

using nlohmann::json;

// "optimizer.lr was 0.001, is 0.002; batch was 8, is 16"; empty when none differs.
std::string differences(const json& before, const json& now, const FreeSettings& free) {
  std::string text;
  for (const auto& [name, value] : now.items()) {
    if (free.contains(name)) continue;
    const json old = before.value(name, json());
    if (old == value) continue;
    text += c10::str(text.empty() ? "" : "; ", name, " was ",
                     old.is_null() ? "not there" : old.dump(), ", is ", value.dump());
  }
  return text;
}

void check_settings(const std::filesystem::path& checkpoint, const std::string& stored,
                    const FieldList& settings, const FreeSettings& free) {
  const json before = parse_bounded_json(stored).value_or(json());
  if (!before.is_object()) {
    throw bad_input(checkpoint.string() + " does not say with which settings it was made",
                    "choose another output folder, or remove the file to start anew");
  }
  const std::string different = differences(before, json::parse(to_json(settings)), free);
  if (different.empty()) return;
  throw bad_input(
      checkpoint.string() + " belongs to a run with other settings: " + different,
      "set them back to go on with it, or choose another output folder: --set output=FOLDER");
}

template <class Number>
Number stored(const Metadata& metadata, const std::string& key,
              const std::filesystem::path& checkpoint) {
  const auto found = metadata.find(key);
  const std::string text = found == metadata.end() ? "" : found->second;
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw bad_input(
      c10::str(checkpoint.string(), ": expected a number under ", key, ", found \"", text, "\""),
      "remove the file to start anew");
}

}  // namespace

Metadata restore(const std::filesystem::path& checkpoint, const std::string& settings_key,
                 const FieldList& settings, const FreeSettings& free, ParameterList& parameters,
                 AdamW& optimizer) {
  const SafetensorsFile file = SafetensorsFile::open(checkpoint);
  const auto stored = file.metadata().find(settings_key);
  check_settings(checkpoint, stored == file.metadata().end() ? "" : stored->second, settings, free);
  StateDict state = StateDict::from(file);
  optimizer.load_state(state.tensors);
  std::erase_if(state.tensors, [](const auto& entry) { return entry.first.starts_with("adamw."); });
  load(parameters, state);
  return file.metadata();
}

int64_t stored_count(const Metadata& metadata, const std::string& key,
                     const std::filesystem::path& checkpoint) {
  return stored<int64_t>(metadata, key, checkpoint);
}

double stored_number(const Metadata& metadata, const std::string& key,
                     const std::filesystem::path& checkpoint) {
  return stored<double>(metadata, key, checkpoint);
}

std::string exact(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

}  // namespace tagclip
