#include "train/checkpoints.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ranges>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "base/text.h"
#include "clip/fingerprint.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kChecksum = "tagclip.checksum";
constexpr std::string_view kPrefix = "iteration_", kEnding = ".safetensors";

std::string file_name(int64_t iteration) {
  return fmt::format("{}{}{}", kPrefix, iteration, kEnding);
}

std::optional<int64_t> iteration_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kEnding)) return {};
  std::string_view number = name;
  number.remove_prefix(kPrefix.size());
  number.remove_suffix(kEnding.size());
  return parse_number<int64_t>(number);
}

// The checksum of names, metadata and values.
std::string checksum(const std::map<std::string, at::Tensor>& tensors, const Metadata& metadata) {
  std::string words;
  for (const auto& [key, value] : metadata) words += key + '\0' + value + '\0';
  std::vector<at::Tensor> all;
  for (const auto& [name, tensor] : tensors) {
    words += name + '\0';
    all.push_back(tensor);
  }
  all.push_back(at::from_blob(words.data(), {static_cast<int64_t>(words.size())}, at::kByte));
  return fingerprint(all);
}

template <class Number>
Number stored(const Checkpoint& checkpoint, const std::string& key) {
  const std::string& text = stored_text(checkpoint, key);
  if (const auto number = parse_number<Number>(text)) return *number;
  throw bad_input(fmt::format("{}: expected a number in the metadata {}, found \"{}\"",
                              checkpoint.path.string(), key, text),
                  "choose another output folder, or remove the file");
}

}  // namespace

Checkpoints::Checkpoints(const fs::path& run, int64_t keep)
    : folder_(run / "checkpoints"), keep_(keep) {}

Checkpoint Checkpoints::read(const fs::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  Checkpoint checkpoint{path, StateDict::from(file), file.metadata()};
  const auto stored = checkpoint.metadata.extract(kChecksum);
  if (stored.empty()) throw bad_input(path.string() + ": has no checksum");
  if (stored.mapped() != checksum(checkpoint.state.tensors, checkpoint.metadata)) {
    throw bad_input(path.string() + ": its content does not match its checksum");
  }
  return checkpoint;
}

std::map<int64_t, fs::path> Checkpoints::files() const {
  std::map<int64_t, fs::path> result;
  if (!is_folder(folder_)) return result;
  for (const FolderEntry& entry : list_folder(folder_)) {
    if (const auto iteration = iteration_of(entry.name)) result[*iteration] = folder_ / entry.name;
  }
  return result;
}

void Checkpoints::save(int64_t iteration, const std::map<std::string, at::Tensor>& tensors,
                       Metadata metadata) const {
  create_folders(folder_);
  metadata[kChecksum] = checksum(tensors, metadata);
  tagclip::save(folder_ / file_name(iteration), tensors, metadata);
  int64_t kept = 0;
  for (const auto& [number, path] : files() | std::views::reverse) {
    if (++kept > keep_) remove_path(path);
  }
}

std::optional<Checkpoint> Checkpoints::newest(
    const std::function<void(const std::string&)>& warn) const {
  std::vector<fs::path> damaged;
  for (const fs::path& path : files() | std::views::values | std::views::reverse) {
    try {
      Checkpoint found = read(path);
      found.damaged = std::move(damaged);
      return found;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      warn(fmt::format("a damaged checkpoint is skipped: {}", error.what()));
      damaged.push_back(path);
    }
  }
  if (damaged.empty()) return {};
  throw bad_input(folder_.string() + ": all checkpoints are damaged",
                  "move the folder away to start anew, or choose another output folder");
}

void Checkpoints::tidy(const Checkpoint& newest) const {
  for (const fs::path& path : newest.damaged) rename_path(path, path.string() + ".damaged");
  for (const FolderEntry& entry : list_folder(folder_)) {
    const bool half_written = entry.name.starts_with(kPrefix) && is_unfinished(entry.name);
    if (half_written) remove_path(folder_ / entry.name);
  }
}

std::vector<ChangedSetting> changed_settings(const Checkpoint& checkpoint, const std::string& key,
                                             const ConstFieldList& now,
                                             const ConstFieldList& defaults) {
  const json before = parse_bounded_json(stored_text(checkpoint, key)).value_or(json());
  if (!before.is_object()) {
    throw bad_input(checkpoint.path.string() + " does not say with which settings it was made",
                    "choose another output folder, or remove the file to start anew");
  }
  const json usual = json::parse(to_json(defaults)), present = json::parse(to_json(now));
  std::vector<ChangedSetting> changes;
  for (const auto& [name, value] : present.items()) {
    const json old = before.value(name, usual.value(name, json()));
    if (old != value) changes.push_back({name, old.dump(), value.dump()});
  }
  return changes;
}

std::string describe(const std::vector<ChangedSetting>& changes) {
  std::vector<std::string> texts;
  for (const ChangedSetting& change : changes) {
    texts.push_back(fmt::format("{} was {}, is {}", change.name, change.before, change.now));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

Error other_settings(const Checkpoint& checkpoint, const std::vector<ChangedSetting>& changes,
                     std::string hint) {
  if (hint.empty()) hint = "set them back to resume it, or choose another output folder";
  return bad_input(
      checkpoint.path.string() + " belongs to a run with other settings: " + describe(changes),
      std::move(hint));
}

std::map<std::string, at::Tensor> run_state(const std::vector<Parameter>& parameters,
                                            const AdamW& optimizer) {
  std::map<std::string, at::Tensor> tensors = optimizer.state();
  for (const Parameter& parameter : parameters) tensors[parameter.name] = parameter.tensor;
  return tensors;
}

void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : parameters) {
    const at::Tensor& value = checkpoint.state.at(parameter.name);
    if (value.sizes() != parameter.tensor.sizes()) {
      throw bad_input(fmt::format("{}: {} is {}, expected {}", checkpoint.path.string(),
                                  parameter.name, shape_text(value.sizes()),
                                  shape_text(parameter.tensor.sizes())));
    }
    at::Tensor(parameter.tensor).copy_(value);
  }
}

void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
             AdamW& optimizer) {
  restore(checkpoint, parameters);
  optimizer.load_state(checkpoint.state.tensors);
}

const std::string& stored_text(const Checkpoint& checkpoint, const std::string& key) {
  static const std::string kNothing;
  const auto found = checkpoint.metadata.find(key);
  return found == checkpoint.metadata.end() ? kNothing : found->second;
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
